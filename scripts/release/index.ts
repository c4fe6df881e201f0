/*
 * Collects what a release publishes, from the packages that `npm run packages` wrote: `npm run release`, into dist/release.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import { commandDirectory, withFolder } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';
import { buildCommand } from '../build-commands';
import { PARSER } from '../packages/safe-alembic';
import { emptyFolder, PROJECT, writeJson } from '../packages/stage';
import { bundled, type Component, component, installed, sbom } from './sbom';

const PACKAGES = path.join(PROJECT, 'dist/packages');
const RELEASE = path.join(PROJECT, 'dist/release');
/** The bundled commands of each package. */
const COMMANDS = { 'cdk-alembic': ['migrate-invoke', 'migrate-invoke-tenants'], 'safe-alembic': ['safe-alembic'] } as const;

async function main(): Promise<void> {
  emptyFolder(RELEASE);
  for (const folder of ['npm', 'pypi', 'sbom']) mkdirSync(path.join(RELEASE, folder));
  for (const name of Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]) await release(name);
  for (const folder of ['cdk-alembic-python/dist', 'safe-alembic-python/dist']) {
    const files = readdirSync(path.join(PACKAGES, folder)).filter((name) => /\.(whl|tar\.gz)$/.test(name));
    for (const file of files) cpSync(path.join(PACKAGES, folder, file), path.join(RELEASE, 'pypi', file));
  }
}

async function release(name: keyof typeof COMMANDS): Promise<void> {
  const cwd = path.join(PACKAGES, name);
  await mustRun('npm', ['pack', '--silent', '--pack-destination', path.join(RELEASE, 'npm')], { env: process.env, cwd });
  const { version, license, dependencies } = JSON.parse(readFileSync(path.join(cwd, 'package.json'), 'utf8'));
  const metafiles = await withFolder((folder) => Promise.all(COMMANDS[name].map((command) => buildCommand(command, folder))));
  const inside = metafiles.flatMap((metafile: Metafile) => bundled(metafile, PROJECT));
  const beside = Object.keys(dependencies).map((dependency) => installed(dependency, PROJECT));
  write(`${name}.npm`, component('npm', name, version, license), [...inside, ...beside]);
  if (name !== 'safe-alembic') return;
  const ofWheel = [...inside, installed(PARSER, PROJECT), ...(await fromPyPI())];
  write(`${name}.pypi`, component('pypi', name, version, license), ofWheel);
}

/** What is installed with the wheel, in the newest versions that it accepts. */
async function fromPyPI(): Promise<Component[]> {
  const uv = path.join(await commandDirectory('uv'), 'uv');
  const compile = ['pip', 'compile', '--quiet', '--no-header', '--no-annotate', '--universal', 'pyproject.toml'];
  const { stdout } = await mustRun(uv, compile, { env: process.env, cwd: path.join(PACKAGES, 'safe-alembic-python') });
  return [...stdout.matchAll(/^([\w.-]+)==([\w.]+)/gm)].map(([, name = '', version = '']) => component('pypi', name, version));
}

function write(name: string, about: Component, components: readonly Component[]): void {
  writeJson(path.join(RELEASE, 'sbom', `${name}.cdx.json`), sbom(about, components));
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
