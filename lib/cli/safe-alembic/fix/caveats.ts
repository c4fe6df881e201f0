import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ComposedFile, WantedPiece } from '../../../contract/facts';
import { installation } from '../../../local/installation';
import type { Plan, ReviewInput } from '../../../review';

const COMMIT = /\b(?:get_bind\(\)|bind|conn|connection)\.commit\(\)/;
const OTHER_DATABASE = /\b(sqlite|mysql|mariadb|oracle|mssql)\b/i;
const ONLY_POSTGRESQL = /\bCONCURRENTLY\b|\bpostgresql_|\bVALIDATE\b|\bautocommit_block\b/;

/** What the proof does not show: where else the rewritten files run, and with what. */
export function caveats(
  project: string,
  input: Pick<ReviewInput, 'graph' | 'environment' | 'plainAlembic'>,
  files: readonly ComposedFile[],
): readonly string[] {
  const { environment } = input;
  if (!environment) return [];
  const other = firstLine(project, environment.file, OTHER_DATABASE);
  const onlyHere = files.find(({ text }) => ONLY_POSTGRESQL.test(text) && !/\bdialect\b/.test(text));
  const elsewhere = `${environment.file}:${other?.line} names ${other?.word}: the rewritten files run on PostgreSQL only`;
  return [...(other && onlyHere ? [elsewhere] : []), ...withPg8000(input, files), ...inOneTransaction(project, input, files)];
}

/** Plain Alembic can't leave a transaction with pg8000: reading the isolation level begins another one. */
function withPg8000({ graph, environment }: Parameters<typeof caveats>[1], files: readonly ComposedFile[]): readonly string[] {
  const block = files.find(({ text }) => /autocommit_block/.test(text));
  if (!block || environment?.driver !== 'pg8000') return [];
  return [
    `\`${graph.command ?? 'alembic'} upgrade\` stops at ${block.file}, because pg8000 is in a transaction in an autocommit block: apply it with \`${installation().command} apply\`, or use psycopg`,
  ];
}

/** What goes wrong where `alembic upgrade` runs all revisions in one transaction. */
function inOneTransaction(
  project: string,
  { graph, environment, plainAlembic }: Parameters<typeof caveats>[1],
  files: readonly ComposedFile[],
): readonly string[] {
  if (environment?.transactionPerMigration !== false) return [];
  const command = graph.command ?? 'alembic';
  const step = `pass transaction_per_migration=True to context.configure() in ${environment.file}`;
  const block = graph.revisions.findIndex((one) =>
    files.some(({ file, text }) => file === one.file && /autocommit_block/.test(text)),
  );
  const earlier = graph.revisions.slice(0, Math.max(block, 0)).filter(({ file }) => !files.some((one) => one.file === file));
  const [commit] = earlier.flatMap(({ file }) => firstLine(project, file, COMMIT) ?? []);
  if (commit) {
    return [
      `\`${command} upgrade\` of an empty database stops at ${graph.revisions[block]?.file}, because ${commit.file}:${commit.line} commits the one transaction of all revisions: ${step}`,
    ];
  }
  if (!plainAlembic || (block < 0 && !files.some(({ isNew }) => isNew))) return [];
  return [
    `\`${command} upgrade\` runs all revisions in one transaction: it holds their locks until the last one is done, and if one fails, the version goes back further than what autocommit blocks did: ${step}`,
  ];
}

/** Downgrades that are not rolled back whole if they fail: what an autocommit block did is committed. */
export function partialDowngrades(plans: readonly Plan[]): readonly string[] {
  const isOutside = ({ within }: WantedPiece) => within?.includes('autocommit_block') === true;
  const partial = plans.filter(({ phases }) => phases.some(({ down }) => down.some(isOutside) && !down.every(isOutside)));
  return partial.map(
    ({ revision: { facts } }) =>
      `a downgrade of ${facts.file} that fails is not rolled back completely: what its autocommit block did stays; fix the cause and run it again`,
  );
}

/** Where a pattern is first, outside of comments. */
function firstLine(project: string, file: string, pattern: RegExp) {
  const full = path.join(project, file);
  const lines = existsSync(full) ? readFileSync(full, 'utf8').split('\n') : [];
  for (const [at, text] of lines.entries()) {
    const [word] = pattern.exec(text.replace(/#.*/, '')) ?? [];
    if (word) return { file, line: at + 1, word };
  }
  return undefined;
}
