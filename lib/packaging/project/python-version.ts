import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeOption } from '../code-in-messages';
import { readToml } from '../dependencies/parsing/toml';
import { PackagingError } from '../errors';
import { withMostWheels } from './locked-wheels';

/** Lambda's Pythons that the runner supports, in order of preference. */
export const PYTHON_VERSIONS = ['3.13', '3.14', '3.12', '3.11'];

/** The Python versions that a backend allows. */
export interface PythonRequirement {
  /** As written in the file, such as `>=3.11,<3.13`. */
  readonly text: string;
  readonly file: string;
  /** Whether it is the developers' version, and not a requirement of the code. */
  readonly isPin: boolean;
}

/** A project's Python requirement; undefined if it has none. */
export function pythonRequirement(directory: string): PythonRequirement | undefined {
  const [toml, pipfile] = ['pyproject.toml', 'Pipfile'].map((name) => join(directory, name)) as [string, string];
  const { project = {}, tool = {} } = readToml(toml) ?? {};
  const inToml = project['requires-python'] ?? tool.poetry?.dependencies?.python?.version ?? tool.poetry?.dependencies?.python;
  if (typeof inToml === 'string') return { text: inToml, file: toml, isPin: false };
  const { requires = {} } = readToml(pipfile) ?? {};
  const inPipfile = requires.python_full_version ?? requires.python_version;
  if (inPipfile) return { text: `==${inPipfile}.*`, file: pipfile, isPin: true };
  const pinned = join(directory, '.python-version');
  const [, version] = (existsSync(pinned) && /^(?:cpython-)?(3\.\d+)/.exec(readFileSync(pinned, 'utf8').trim())) || [];
  return version ? { text: `==${version}.*`, file: pinned, isPin: true } : undefined;
}

/** Whether the text allows at least one patch release of a Python version such as `3.13`. */
export function allows(text: string, pythonVersion: string): boolean {
  const [, minor] = pythonVersion.split('.').map(Number) as [number, number];
  return text.split('||').some((alternative) => {
    const clauses = alternative.split(/,|\s+(?=[<>=!~^])/).flatMap((clause) => specifiers(clause.trim()));
    // One patch release is enough: AWS updates Lambda's.
    return Array.from({ length: 100 }, (_, patch) => [3, minor, patch]).some((version) =>
      clauses.every((clause) => holds(clause, version)),
    );
  });
}

interface Specifier {
  readonly operator: string;
  readonly release: readonly number[];
  readonly isPrefix: boolean;
}

/** https://packaging.python.org/en/latest/specifications/version-specifiers/ and Poetry's `^3.11` and `~3.11`. */
function specifiers(clause: string): Specifier[] {
  const [, operator = '', version = '', wildcard] =
    /^(===?|!=|~=|[<>]=?|\^|~)?\s*v?(\d+(?:\.\d+)*)?[^*]*?(\*)?$/.exec(clause) ?? [];
  const release = version.split('.').filter(Boolean).map(Number);
  if (!release.length) return [];
  const atLeast = { operator: '>=', release, isPrefix: false };
  const below = (kept: number): Specifier => ({
    operator: '<',
    release: [...release.slice(0, kept - 1), (release[kept - 1] as number) + 1],
    isPrefix: false,
  });
  if (operator === '^') return [atLeast, below(1)];
  if (operator === '~') return [atLeast, below(Math.min(release.length, 2))];
  if (operator === '~=') return [atLeast, below(Math.max(release.length - 1, 1))];
  return [{ operator: operator || '==', release, isPrefix: wildcard !== undefined || operator === '' }];
}

function holds({ operator, release, isPrefix }: Specifier, version: readonly number[]): boolean {
  const length = isPrefix ? release.length : 3;
  let order = 0;
  for (let part = 0; part < length && order === 0; part++) order = (version[part] ?? 0) - (release[part] ?? 0);
  if (operator === '>=') return order >= 0;
  if (operator === '<=') return order <= 0;
  if (operator === '>') return order > 0;
  if (operator === '<') return order < 0;
  return (order === 0) === (operator !== '!=');
}

/** Lambda's Pythons that a backend allows, in order of preference. If it pins another one, all of them. */
export function allowedPythons(directory: string): string[] {
  const requirement = pythonRequirement(directory);
  const allowed = PYTHON_VERSIONS.filter((version) => !requirement || allows(requirement.text, version));
  return requirement?.isPin && !allowed.length ? [...PYTHON_VERSIONS].sort() : allowed;
}

/**
 * The Python to run a backend with: an allowed one for which its dependencies have the most wheels, in order of preference.
 *
 * @param requirements the requirements files to install instead of a lock
 */
export function preferredPython(directory: string, requirements: readonly string[] = []): string {
  return withMostWheels(directory, readable(directory), requirements)[0] ?? (PYTHON_VERSIONS[0] as string);
}

/**
 * The Pythons that the function of a backend may get, for an error's next step, first those with the most wheels. A pin refuses none.
 *
 * @param requirements the requirements files to install instead of a lock
 */
export function usablePythons(
  directory: string,
  requirements: readonly string[],
  isUsable: (pythonVersion: string) => boolean = () => true,
): string[] {
  const requirement = pythonRequirement(directory);
  const isAllowed = (version: string) => !requirement || requirement.isPin || allows(requirement.text, version);
  const versions = PYTHON_VERSIONS.filter((version) => isAllowed(version) && isUsable(version));
  return versions.length ? withMostWheels(directory, versions, requirements) : [];
}

/** All that are allowed; none if a file can't be read, which the check of the backend reports. */
function readable(directory: string): string[] {
  try {
    return allowedPythons(directory);
  } catch (error) {
    if (error instanceof PackagingError) return [];
    throw error;
  }
}

/** Why a backend can't run with a Python version, or may not; undefined if it can. */
export function pythonProblem(
  directory: string,
  pythonVersion: string,
  requirements: readonly string[] = [],
): { readonly error?: PackagingError; readonly warning?: string } | undefined {
  const requirement = pythonRequirement(directory);
  if (!requirement || allows(requirement.text, pythonVersion)) return undefined;
  const [fitting] = usablePythons(directory, requirements, (version) => allows(requirement.text, version));
  const remedy = fitting
    ? `set ${runtimeOption(fitting)}`
    : `Lambda has Python ${[...PYTHON_VERSIONS].sort().join(', ')}: allow one of them there`;
  const text = `${requirement.file} requires Python ${requirement.text} and the function runs ${pythonVersion}: ${remedy}`;
  return requirement.isPin ? { warning: text } : { error: new PackagingError('unsupported_python', text) };
}
