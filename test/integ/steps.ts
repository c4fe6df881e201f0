/*
 * What integ-runner runs after its deploy: `tsx steps.ts <folder>`. A migration fails, is repaired, and a later failure rolls the stack
 * back. Each step asks the function for the database's revision.
 */
import { deepStrictEqual } from 'node:assert';
import path from 'node:path';
import { sampleBackend } from '../../examples/local-aws';
import { mustRun, run } from '../../lib/local/processes/run';
import { ADD_PHONE, appEnvironment, DIVIDE, STACK } from './prepare';

const [folder = ''] = process.argv.slice(2);
const backend = sampleBackend(path.join(folder, 'back'));
const bin = (name: string): string => path.join(folder, 'node_modules', '.bin', name);

async function revisions(): Promise<readonly string[]> {
  const args = ['--stage', 'integ', '--command', 'current', '--json'];
  const { stdout } = await mustRun(bin('migrate-invoke'), args, { env: process.env, cwd: folder });
  return JSON.parse(stdout).to;
}

async function deploy(expectedCode: number, failsLater = false): Promise<string> {
  const options = { env: appEnvironment(folder, failsLater), cwd: folder, onLine: console.log };
  const { code, output } = await run(bin('cdk'), ['deploy', STACK, '--require-approval', 'never'], options);
  deepStrictEqual(code, expectedCode, `cdk deploy ended with exit code ${code}`);
  return output;
}

async function steps(): Promise<void> {
  const before = backend.revisions().slice(-1);
  deepStrictEqual(await revisions(), before, 'the first deploy migrated');

  backend.writeMigration(DIVIDE);
  const output = await deploy(1);
  deepStrictEqual(output.includes(DIVIDE.revision), true, 'the deploy names the revision that failed');
  deepStrictEqual(await revisions(), before, 'a failed migration changes nothing');

  backend.writeMigration({ ...DIVIDE, upgrade: DIVIDE.upgrade.slice(0, 1) });
  await deploy(0);
  deepStrictEqual(await revisions(), [DIVIDE.revision], 'the repaired migration is applied');

  backend.writeMigration(ADD_PHONE);
  await deploy(1, true);
  deepStrictEqual(await revisions(), [ADD_PHONE.revision], 'the rollback keeps the newer database');
  // The stack can be deployed again only if the rollback has completed.
  await deploy(0);
}

steps().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
