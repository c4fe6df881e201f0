/* Builds the packages that the tests use, and installs what a CDK app in Python needs: `tsx test/packages/build.ts`. */
import { pythonCdk } from './cdk-alembic';

pythonCdk().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
