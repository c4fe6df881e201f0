import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { readToml, type Table } from '../dependencies/parsing/toml';

/** A backend's build configuration, read without running it. */
export interface OwnProject {
  readonly name: string;
  readonly version: string;
  /** Entry points by group, as `name = module:attribute`. */
  readonly entryPoints: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Folders, relative to the project, that an editable install would put on Python's path. */
  readonly roots: readonly string[];
}

/** The installable project in a directory; undefined if there is none. */
export function ownProject(directory: string): OwnProject | undefined {
  const { project = {}, tool = {} } = readToml(join(directory, 'pyproject.toml')) ?? ({} as Table);
  const cfg = readIni(join(directory, 'setup.cfg'));
  const setup = existsSync(join(directory, 'setup.py')) ? readFileSync(join(directory, 'setup.py'), 'utf8') : '';
  const name = project.name ?? tool.poetry?.name ?? cfg.metadata?.name ?? literal(setup, 'name');
  if (!name) return undefined;
  const groups =
    project['entry-points'] ?? tool.poetry?.plugins ?? entryPoints(cfg['options.entry_points'] ?? cfg.entry_points ?? {});
  return {
    name,
    version: project.version ?? tool.poetry?.version ?? literal(setup, 'version') ?? '0.0.0',
    entryPoints: groups,
    roots: roots(tool, cfg, setup),
  };
}

function roots(tool: Table, cfg: Ini, setup: string): string[] {
  const hatch = tool.hatch?.build?.targets?.wheel ?? {};
  const setuptools = tool.setuptools ?? {};
  const found: unknown[] = [
    ...(tool.poetry?.packages ?? []).map((entry: Table) => entry.from),
    ...(hatch.packages ?? []).map((path: string) => path.split('/').slice(0, -1).join('/')),
    ...(Array.isArray(hatch.sources) ? hatch.sources : Object.keys(hatch.sources ?? {})),
    setuptools['package-dir']?.[''],
    ...(setuptools.packages?.find?.where ?? []),
    tool.uv?.['build-backend']?.['module-root'],
    tool.pdm?.build?.['package-dir'],
    /(?:^|\n)\s*=\s*(\S+)/.exec(`\n${cfg.options?.package_dir ?? ''}`)?.[1],
    cfg['options.packages.find']?.where,
    /package_dir\s*=\s*\{\s*["']{2}\s*:\s*["']([^"']+)["']/.exec(setup)?.[1],
  ];
  const paths = found.filter((path): path is string => typeof path === 'string' && path !== '').map((path) => normalize(path));
  return [...new Set(paths)].filter((path) => path !== '.' && !path.startsWith('..') && !path.startsWith('/'));
}

/** A literal argument of a call in setup.py. */
function literal(setup: string, argument: string): string | undefined {
  return new RegExp(`\\b${argument}\\s*=\\s*["']([^"'\\n]+)["']`).exec(setup)?.[1];
}

type Ini = Record<string, Record<string, string>>;

/** Parses setup.cfg like Python's configparser, without interpolation. */
function readIni(file: string): Ini {
  const sections: Ini = {};
  if (!existsSync(file)) return sections;
  let [section, key] = ['', ''];
  for (const line of readFileSync(file, 'utf8').split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const [, header] = /^\[(.+)\]\s*$/.exec(line) ?? [];
    const [, name, value] = /^([^\s=:][^=:]*?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    const table = sections[header ?? section] ?? {};
    sections[header ?? section] = table;
    if (header !== undefined) section = header;
    else if (name !== undefined) [key, table[name]] = [name, value as string];
    else if (key in table) table[key] += `\n${line.trim()}`;
  }
  return sections;
}

/** Entry points in setup.cfg: one per line below the group's name. */
function entryPoints(groups: Record<string, string>): Record<string, Record<string, string>> {
  const read = (lines: string) => lines.split('\n').map((line) => line.split('=').map((part) => part.trim()));
  return Object.fromEntries(
    Object.entries(groups).map(([group, lines]) => [
      group,
      Object.fromEntries(read(lines).filter((entry): entry is [string, string] => entry.length === 2)),
    ]),
  );
}
