/*
 * Collects what a release publishes, from the packages that `npm run packages` wrote: `npm run release`, into dist/release.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import { commandDirectory, withFolder } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';
import { buildCommand } from '../build-commands';
import { COMMANDS } from '../packages/cdk-alembic';
import { PARSER } from '../packages/safe-alembic';
import { emptyFolder, PROJECT, writeJson } from '../packages/stage';
import { bundled, type Component, component, installed, sbom } from './sbom';

const PACKAGES = path.join(PROJECT, 'dist/packages');
const RELEASE = path.join(PROJECT, 'dist/release');

async function main(): Promise<void> {
  emptyFolder(RELEASE);
  for (const folder of ['npm', 'pypi', 'sbom']) mkdirSync(path.join(RELEASE, folder));
  const handlers: Metafile = JSON.parse(readFileSync(path.join(PROJECT, 'dist/lambda/metafile.json'), 'utf8'));
  // Its wheel contains the npm package.
  await release('cdk-alembic', [...(await metafiles(COMMANDS)), handlers], (beside) => beside);
  await release('safe-alembic', await metafiles(['safe-alembic']), () => [installed(PARSER, PROJECT)]);
}

function metafiles(commands: readonly string[]): Promise<Metafile[]> {
  return withFolder((folder) => Promise.all(commands.map((command) => buildCommand(command, folder))));
}

/**
 * Collects a package of npm and the one of PyPI with the same name.
 *
 * @param bundles that both contain
 * @param inWheel chooses, from the dependencies of the npm package, what the wheel contains
 */
async function release(
  name: string,
  bundles: readonly Metafile[],
  inWheel: (dependencies: readonly Component[]) => readonly Component[],
): Promise<void> {
  const [cwd, python] = [path.join(PACKAGES, name), path.join(PACKAGES, `${name}-python`)];
  await mustRun('npm', ['pack', '--silent', '--pack-destination', path.join(RELEASE, 'npm')], { env: process.env, cwd });
  const wheels = readdirSync(path.join(python, 'dist')).filter((file) => /\.(whl|tar\.gz)$/.test(file));
  for (const file of wheels) cpSync(path.join(python, 'dist', file), path.join(RELEASE, 'pypi', file));

  const { version, license, dependencies } = JSON.parse(readFileSync(path.join(cwd, 'package.json'), 'utf8'));
  const inside = bundles.flatMap((metafile) => bundled(metafile, PROJECT));
  const beside = Object.keys(dependencies).map((dependency) => installed(dependency, PROJECT));
  write(`${name}.npm`, component('npm', name, version, license), [...inside, ...beside]);
  const ofWheel = [...inside, ...inWheel(beside), ...(await fromPyPI(python))];
  write(`${name}.pypi`, component('pypi', name, version, license), ofWheel);
}

/** What is installed with a wheel, in the newest versions that it accepts. */
async function fromPyPI(cwd: string): Promise<Component[]> {
  const uv = path.join(await commandDirectory('uv'), 'uv');
  const compile = ['pip', 'compile', '--quiet', '--no-header', '--no-annotate', '--universal', 'pyproject.toml'];
  const { stdout } = await mustRun(uv, compile, { env: process.env, cwd });
  return [...stdout.matchAll(/^([\w.-]+)==([\w.]+)/gm)].map(([, name = '', version = '']) => component('pypi', name, version));
}

function write(name: string, about: Component, components: readonly Component[]): void {
  writeJson(path.join(RELEASE, 'sbom', `${name}.cdx.json`), sbom(about, components));
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
