/** One distribution to install: a line of a requirements file. */
export interface Requirement {
  /** Normalized, such as `psycopg-binary`. */
  readonly name: string;
  /**
   * The requirement without hashes, such as `greenlet==3.2.4 ; python_version < "3.14"` or `tool @ git+https://...@<commit>`.
   */
  readonly text: string;
  /** Such as `sha256:...`; empty if the lock has none. */
  readonly hashes: readonly string[];
}

/** What a package installs. */
export interface Dependencies {
  readonly requirements: readonly Requirement[];
  /** Absolute paths of projects on this machine that belong to the package: workspace members, path dependencies. */
  readonly projects: readonly string[];
  /** Options of the requirements file, such as `--index-url ...`. */
  readonly options: readonly string[];
}

/** A normalized distribution name, https://packaging.python.org/en/latest/specifications/name-normalization/ */
export function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** The name at the start of a requirement; undefined for an address without a name. */
export function nameOf(text: string): string | undefined {
  const [, name] = /^([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:$|[[<>=!~;@ (])/.exec(text) ?? [];
  return name === undefined ? undefined : normalized(name);
}

/** The address of a commit in a git repository, as pip writes it. `folder`: the project's, if it is not at the top. */
export function gitAddress(url: string, commit: string, folder?: string): string {
  return `git+${url}@${commit}${folder ? `#subdirectory=${folder}` : ''}`;
}

/** Joins conditions; undefined if there are none. */
export function allOf(markers: readonly (string | undefined)[]): string | undefined {
  const given = [...new Set(markers.filter((marker): marker is string => !!marker))];
  return given.length > 1 ? given.map((marker) => `(${marker})`).join(' and ') : given[0];
}

/** A pinned distribution. */
export function pinned(name: string, version: string, marker: string | undefined, hashes: readonly string[]): Requirement {
  return { name: normalized(name), text: `${name}==${version}${marker ? ` ; ${marker}` : ''}`, hashes };
}

export function requirementsText({ requirements, options }: Pick<Dependencies, 'requirements' | 'options'>): string {
  const lines = requirements.map(({ text, hashes }) => [text, ...hashes.map((hash) => `--hash=${hash}`)].join(' \\\n    '));
  return [...options, ...lines].map((line) => `${line}\n`).join('');
}
