import type { Statement } from '../../../contract/facts';

/** Table locks from the weakest to the strongest, https://www.postgresql.org/docs/current/explicit-locking.html */
const MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

/** Which statements of the application wait: all, only writes, or none. */
export type Strength = 'all' | 'writers' | 'none';

export function strengthOf(mode: string): Strength {
  if (mode === 'AccessExclusiveLock') return 'all';
  return MODES.indexOf(mode) >= MODES.indexOf('ShareLock') ? 'writers' : 'none';
}

/** `AccessExclusiveLock` as PostgreSQL's documentation writes it. */
export function modeName(mode: string): string {
  return mode
    .replace(/Lock$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}

/** A lock and how long it is held: `from` and `to` are fractions of the whole time. */
export interface HeldLock {
  readonly mode: string;
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  readonly milliseconds: number;
  readonly statements: readonly {
    readonly statement: Statement;
    readonly from: number;
    readonly to: number;
    readonly strongest?: string;
  }[];
  /** Locks by table, in the order in which they are taken: each from its statement to the end of its transaction. */
  readonly tables: ReadonlyMap<string, readonly HeldLock[]>;
}

/** The minimum share of a statement in a bar: a smaller one would be invisible. */
const MIN_SHARE = 0.012;

export function timeline(statements: readonly Statement[]): Timeline {
  const milliseconds = statements.reduce((sum, statement) => sum + statement.milliseconds, 0);
  const weights = statements.map((statement) => Math.max(statement.milliseconds, milliseconds * MIN_SHARE, 0.001));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const tables = new Map<string, HeldLock[]>();
  let held = new Map<string, string>();
  let transaction: number | undefined;
  let at = 0;
  const spans = statements.map((statement, index) => {
    if (statement.transaction !== transaction || statement.transaction < 0) held = new Map();
    transaction = statement.transaction;
    for (const { table, mode } of statement.locks) held.set(table, stronger(held.get(table), mode));
    const from = at;
    at += (weights[index] as number) / whole;
    for (const [table, mode] of held) {
      const before = tables.get(table) ?? [];
      const last = before.at(-1);
      if (last?.mode === mode && last.to === from) before[before.length - 1] = { ...last, to: at };
      else before.push({ mode, from, to: at });
      tables.set(table, before);
    }
    return { statement, from, to: at, strongest: strongest([...held.values()]) };
  });
  return { milliseconds, statements: spans, tables };
}

export function strongest(modes: readonly string[]): string | undefined {
  return modes.reduce<string | undefined>(stronger, undefined);
}

function stronger(one: string | undefined, other: string): string {
  return one !== undefined && MODES.indexOf(one) >= MODES.indexOf(other) ? one : other;
}
