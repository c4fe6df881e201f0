/*
 * Writes the packages that are published: `npm run packages`, into dist/packages.
 */
import path from 'node:path';
import { stageCdkAlembic } from './cdk-alembic';
import { PROJECT } from './stage';

async function main(): Promise<void> {
  await stageCdkAlembic(path.join(PROJECT, 'dist/packages'));
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
