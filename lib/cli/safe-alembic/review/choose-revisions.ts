import path from 'node:path';
import type { GraphFacts } from '../../../contract/facts';
import { MigrateError } from '../../../contract/failure';
import { type Changes, changesSince, defaultBranch } from '../../../local/git';
import { installation } from '../../../local/installation';
import { count } from '../../screen/terminal';
import type { Chosen } from '../replay/chosen';
import type { ReviewArguments } from './arguments';

type Named = Pick<ReviewArguments, 'named' | 'since' | 'all'>;

/**
 * Determines the revisions that a command line selects.
 *
 * @param project the folder that the graph's files are relative to
 * @param changes as `changesOf` returns them
 * @throws a {@link MigrateError}
 */
export function chooseRevisions(graph: GraphFacts, project: string, given: Named, changes: Changes | undefined): Chosen {
  const all = graph.revisions.map(({ revision }) => revision);
  const { added = [], edited = [] } = changes ? inGraph(graph, changes) : {};
  const chosen = (revisions: readonly string[], why: string): Chosen => ({
    revisions,
    why,
    unreleased: added,
    edited,
  });
  if (given.all) return chosen(all, all.length === 1 ? 'the only revision' : `all ${count(all.length)}`);
  if (given.named.length > 0) {
    const named = given.named.flatMap((name) => find(graph, project, name));
    return chosen(
      all.filter((revision) => named.includes(revision)),
      'as named',
    );
  }
  if (!changes) return chosen(graph.heads, `the ${graph.heads.length === 1 ? 'head' : 'heads'}: git does not know what is new`);
  const touched = new Set([...added, ...idsOf(graph, changes.changed)]);
  const revisions = all.filter((revision) => touched.has(revision));
  if (revisions.length > 0 || given.since !== undefined) {
    return chosen(revisions, `${count(revisions.length)} new or changed since ${changes.since}`);
  }
  return chosen(graph.heads, `the ${graph.heads.length === 1 ? 'head' : 'heads'}: nothing is new since ${changes.since}`);
}

/** Undefined: git could not determine them, and `--since` was not given. Throws a {@link MigrateError}. */
export async function changesOf(project: string, { since }: Pick<Named, 'since'>): Promise<Changes | undefined> {
  if (since !== undefined) return changesSince(project, since);
  try {
    const branch = await defaultBranch(project);
    return branch === undefined ? undefined : await changesSince(project, branch);
  } catch (error) {
    if (error instanceof MigrateError) return undefined;
    throw error;
  }
}

function inGraph(graph: GraphFacts, { added, changed, removed }: Changes) {
  const folders = new Set(graph.revisions.map(({ file }) => folderOf(file)));
  const files = new Set(graph.revisions.map(({ file }) => file));
  // The graph no longer has removed revisions: assumes that a removed Python file next to revisions was one.
  const wasRevision = (file: string) => file.endsWith('.py') && !file.endsWith('__init__.py') && folders.has(folderOf(file));
  return {
    added: idsOf(graph, added),
    edited: [
      ...changed.filter((file) => files.has(file)).map((file) => ({ file, how: 'changed' as const })),
      ...removed.filter(wasRevision).map((file) => ({ file, how: 'removed' as const })),
    ],
  };
}

function idsOf({ revisions }: GraphFacts, files: readonly string[]): string[] {
  const wanted = new Set(files);
  return revisions.filter(({ file }) => wanted.has(file)).map(({ revision }) => revision);
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1);
}

const SEE_ALL = `see them with \`${installation().command} history\``;

function find({ revisions, heads }: GraphFacts, project: string, name: string): readonly string[] {
  if (name === 'head' || name === 'heads') return heads;
  if (name.endsWith('.py')) {
    const file = path.relative(project, path.resolve(name)).replaceAll(path.sep, '/');
    const found = revisions.filter((revision) => revision.file === file);
    if (found.length > 0) return found.map(({ revision }) => revision);
    throw new MigrateError('unknown_revision', `${name} is not the file of a revision of this project`, SEE_ALL);
  }
  const exact = revisions.filter(({ revision }) => revision === name);
  const found = exact.length > 0 ? exact : revisions.filter(({ revision }) => revision.startsWith(name));
  if (found.length === 1) return found.map(({ revision }) => revision);
  const message =
    found.length === 0
      ? `the project has no revision "${name}"`
      : `"${name}" is ambiguous: ${found.map(({ revision }) => revision).join(', ')}`;
  throw new MigrateError('unknown_revision', message, SEE_ALL);
}
