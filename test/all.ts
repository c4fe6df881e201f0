/*
 * npm test
 *
 * Everything: types, lint, build, jest, pytest, and the end-to-end tests on a local AWS. All checks run, even after one failed; those
 * that share nothing run side by side. `npm test -- runner` runs the checks of these names only.
 */
import { commandCheck, jestCheck } from './all/checks';
import { runnerCheck, WORKERS } from './all/context';
import { sampleCheck } from './all/sample-check';
import { after, type NamedCheck, shared } from './all/schedule';
import { runSuite } from './all/suite';

/** A CI that gives 90 minutes still gets the report. */
const MINUTES = 80;

/** Checks at once, more than there are processors: tests wait for servers, deploys and packages about half of their time. */
const CHECKS_AT_ONCE = 3;

runSuite(MINUTES, (context) => {
  const pythonSources = ['bin', 'lambda', 'lib', 'test', 'bench', 'examples'];
  const ruff = (...verb: string[]) =>
    commandCheck(context, context.python, ['-m', 'ruff', ...verb, '--no-cache', ...pythonSources]);

  const pytest = (name: string) => runnerCheck(context, name, [`test/${name}`]);

  // Commands, bundles and types: the tests below read what is built.
  const build = shared(commandCheck(context, 'npm', ['run', 'build']));
  // Built once: the tests that use them run side by side.
  const packages = shared(after(build, commandCheck(context, 'npx', ['tsx', 'test/packages/build.ts'])));
  const checks: NamedCheck[] = [
    { name: 'build', check: build },
    { name: 'packages', check: packages },
    // It needs nothing that is built, and has both processors meanwhile.
    { name: 'runner', check: pytest('runner') },
    { name: 'unit', check: after(packages, jestCheck(context, 'unit', WORKERS)) },
    { name: 'end to end', check: after(packages, jestCheck(context, 'e2e', WORKERS)) },
    { name: 'observer', check: pytest('observer') },
    { name: 'sample', check: sampleCheck(context, context.postgres) },
    { name: 'types', check: after(build, commandCheck(context, 'npx', ['tsc', '--noEmit'])) },
    { name: 'lint', check: commandCheck(context, 'npx', ['biome', 'check', '.']) },
    { name: 'lint of Python', check: ruff('check') },
    { name: 'format of Python', check: ruff('format', '--check') },
  ];
  return { checks, atOnce: CHECKS_AT_ONCE };
});
