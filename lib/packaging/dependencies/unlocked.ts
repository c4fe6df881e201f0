import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compileRequirements } from './compile';
import type { Dependencies } from './parsing/requirement';
import { parseRequirements } from './parsing/requirements-file';
import { readToml, type Table } from './parsing/toml';
import { type DependencySource, pinsAmong, type Selection } from './source';

/** Files that declare a project's dependencies. */
export const PROJECT_FILES = ['pyproject.toml', 'setup.py', 'setup.cfg'];

/** The dependencies in a pyproject.toml, setup.cfg or setup.py without a lock. */
export function unlocked(directory: string, file: string, selection: Selection): DependencySource {
  const path = join(directory, file);
  return {
    found: `${file} in ${directory}`,
    add: `add {} to the dependencies in ${path}`,
    run: '',
    files: [path],
    projects: localProjects(directory, file),
    errors: [],
    warnings: [
      `nothing locks the versions in ${path}: another machine may package different ones. ${lockCommand(directory, file)}`,
    ],
    pins: () => pinsAmong(declared(directory, file)),
    resolve: (platform) => compileRequirements(directory, { file: path }, selection, platform),
  };
}

/** The requirements that a pyproject.toml declares. Those of a setup.py are unknown without running it. */
export function declared(directory: string, file: string): Dependencies {
  const { project = {} }: Table = (file === 'pyproject.toml' && readToml(join(directory, file))) || {};
  return parseRequirements((project.dependencies ?? []).join('\n'), directory);
}

function lockCommand(directory: string, file: string): string {
  const toml: Table = (file === 'pyproject.toml' && readToml(join(directory, file))) || {};
  const tool = toml.tool?.poetry ? 'poetry lock' : toml.tool?.pdm ? 'pdm lock' : toml.project ? 'uv lock' : undefined;
  return `"${tool ?? `uv pip compile ${file} -o requirements.txt`}" in ${directory} does`;
}

/** The file in a directory that declares dependencies without a lock. */
export function unlockedFile(directory: string): string | undefined {
  const toml = readToml(join(directory, 'pyproject.toml'));
  if (toml?.project || toml?.tool?.poetry?.dependencies) return 'pyproject.toml';
  if (existsSync(join(directory, 'setup.py'))) return 'setup.py';
  // uv and pip do not build a setup.cfg alone.
  return toml && hasInstallRequires(join(directory, 'setup.cfg')) ? 'setup.cfg' : undefined;
}

/** Whether a setup.cfg declares dependencies: most only have settings of tools. */
export function hasInstallRequires(setupCfg: string): boolean {
  return existsSync(setupCfg) && /^install_requires\s*[=:]/m.test(readFileSync(setupCfg, 'utf8'));
}

/** Path dependencies, in uv's and Poetry's notation. */
function localProjects(directory: string, file: string): string[] {
  const { tool = {} }: Table = (file === 'pyproject.toml' && readToml(join(directory, file))) || {};
  const tables = [tool.uv?.sources, tool.poetry?.dependencies].flatMap((table) => Object.values<Table>(table ?? {}));
  return tables
    .flatMap(({ path }) => (typeof path === 'string' ? [resolve(directory, path)] : []))
    .filter((path) => path !== directory);
}
