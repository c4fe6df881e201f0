/* Builds the packages that the tests use, and installs what a CDK app in Python needs: `tsx test/packages/build.ts`. */
import { cachedCommand } from '../cli/built-command';
import { cachedSafeAlembic, cachedWheels } from '../local/installed-command';
import { pythonCdk } from './cdk-alembic';

Promise.all([pythonCdk(), cachedCommand(), cachedSafeAlembic(), cachedWheels()]).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
