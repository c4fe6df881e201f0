/** The most that an upgrade may do to production. A time is a text such as `2s`. */
export interface Budgets {
  /** How long inserts, updates and deletes of a table may wait. */
  readonly writesBlocked?: string;
  /** How long reads of a table may wait. What blocks reads blocks writes too. */
  readonly readsBlocked?: string;
  /** Whether a table may be rewritten. */
  readonly rewrites?: boolean;
}

/** Limits of `review --measure`. */
export interface MeasureSettings {
  /** Rows of a table. */
  readonly rows?: number;
  /** Bytes of all tables of a revision, with indexes. */
  readonly bytes?: number;
  /** Of all revisions together; a text such as `5min`. */
  readonly time?: string;
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3_600 };

/** The seconds of a duration such as `500ms`, `1.5s`, `2min` or `1h`; undefined for other texts. Units as in PostgreSQL's settings. */
export function secondsOf(duration: unknown): number | undefined {
  const [, number, unit] = (typeof duration === 'string' && /^(\d+(?:\.\d+)?) ?(ms|s|min|h)$/.exec(duration)) || [];
  return number === undefined || unit === undefined ? undefined : Number(number) * (UNITS[unit] as number);
}

const DURATION = 'a duration such as "500ms", "2s" or "5min"';

/** All problems of the setting `budgets`. */
export function budgetProblems(value: unknown): string[] {
  if (!isRecord(value)) return ['must be an object'];
  const problems = Object.entries(value).flatMap(([key, limit]) => {
    if (key === 'rewrites') return typeof limit === 'boolean' ? [] : ['must have true or false for "rewrites"'];
    if (key !== 'writesBlocked' && key !== 'readsBlocked') {
      return [`has the unknown key "${key}": use writesBlocked, readsBlocked, rewrites`];
    }
    return secondsOf(limit) === undefined ? [`must have ${DURATION} for "${key}"`] : [];
  });
  const [reads, writes] = [secondsOf(value.readsBlocked), secondsOf(value.writesBlocked)];
  if (reads !== undefined && writes !== undefined && reads > writes) {
    problems.push('allows reads to wait longer than writes, but what blocks reads blocks writes too: raise writesBlocked');
  }
  return problems;
}

/** All problems of the setting `measure`. */
export function measureProblems(value: unknown): string[] {
  if (!isRecord(value)) return ['must be an object'];
  return Object.entries(value).flatMap(([key, limit]) => {
    if (key === 'time') return secondsOf(limit) ? [] : [`must have ${DURATION} for "time"`];
    if (key !== 'rows' && key !== 'bytes') return [`has the unknown key "${key}": use rows, bytes, time`];
    return typeof limit === 'number' && limit >= 1 ? [] : [`must have a number of ${key}, 1 or more`];
  });
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
