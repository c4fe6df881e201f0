import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { groupsOf, readJson } from './locks/pipfile';
import { poetryGroups } from './locks/poetry';
import { readToml, type Table } from './parsing/toml';

/** Groups and extras by name, each with its requirements: a list, or a table whose keys are names. */
export interface Declared {
  readonly groups: Table;
  readonly extras: Table;
}

/** The groups and extras that a file declares; undefined if it is missing or can't declare any, or only by running it. */
export function declaredIn(file: string): Declared | undefined {
  if (!existsSync(file)) return undefined;
  switch (basename(file)) {
    case 'pyproject.toml':
      return ofProject(readToml(file) as Table);
    case 'Pipfile':
      return { groups: groupsOf(readToml(file) as Table), extras: {} };
    case 'Pipfile.lock': {
      const { _meta, default: _default, ...groups } = readJson(file);
      return { groups, extras: {} };
    }
    case 'pylock.toml': {
      const lock = readToml(file) as Table;
      return { groups: unlisted(lock['dependency-groups']), extras: unlisted(lock.extras) };
    }
    default:
      return undefined;
  }
}

/** In the formats of uv, Poetry and PDM. */
function ofProject({ project = {}, tool = {}, 'dependency-groups': groups = {} }: Table): Declared {
  const ofUv = tool.uv?.['dev-dependencies'];
  return {
    groups: { ...(ofUv && { dev: ofUv }), ...groups, ...tool.pdm?.['dev-dependencies'], ...poetryGroups(tool.poetry) },
    extras: { ...project['optional-dependencies'], ...tool.poetry?.extras },
  };
}

/** A lock in the standard format only lists the names. */
function unlisted(names: readonly string[] = []): Table {
  return Object.fromEntries(names.map((name) => [name, []]));
}
