/*
 * Writes the packages that are published: `npm run packages`, into dist/packages.
 */
import path from 'node:path';
import { stageCdkAlembic } from './cdk-alembic';
import { stageNpm, stagePython } from './safe-alembic';
import { PROJECT } from './stage';

async function main(): Promise<void> {
  const folder = path.join(PROJECT, 'dist/packages');
  await stageCdkAlembic(folder);
  await stageNpm(path.join(folder, 'safe-alembic'));
  await stagePython(path.join(folder, 'safe-alembic-python'));
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
