import { type Budgets, secondsOf } from '../../local/limits';
import { rowsText, timeTaken } from '../../text/sizes';
import type { Finding, Measured, OverBudget } from '../finding';
import type { ReviewInput, ReviewOptions } from '../input';
import type { AnalyzedRevision, RevisionFunction, Step } from '../revision/analyzed-revision';
import { exclusivelyLocked } from '../rules/locking/locks';
import type { RuleInfo } from '../rules/rule';
import type { Seconds } from './estimate';
import { measurementOf } from './measured';
import { isSmall, timeText } from './size';

/** The rule that {@link overBudget} checks, with the findings of the other rules. */
export const BUDGET: RuleInfo = {
  id: 'budget',
  group: 'locking',
  severity: 'error',
  title: 'an upgrade blocks reads or writes for longer than the setting "budgets" allows, or rewrites a table',
};

type Limited = 'writesBlocked' | 'readsBlocked';

/** Findings about upgrades that exceed a budget. @param found the findings of other rules, with their sizes */
export function overBudget(
  revisions: readonly AnalyzedRevision[],
  found: readonly Finding[],
  { measured }: Pick<ReviewInput, 'measured'>,
  { budgets = {}, sizes }: Pick<ReviewOptions, 'budgets' | 'sizes'>,
): readonly Finding[] {
  return revisions.flatMap((revision) => {
    const waits = waitsOf(revision, found, measurementOf(revision.facts, measured, sizes));
    return [
      ...waits.flatMap((wait) => [
        ...overLimit(revision, wait, 'readsBlocked', budgets),
        ...overLimit(revision, wait, 'writesBlocked', budgets),
      ]),
      ...(budgets.rewrites === false ? rewriteFindings(revision, sizes) : []),
    ];
  });
}

/** How long reads and writes of a table are blocked in production, in seconds. */
interface TableWaits {
  readonly table: string;
  readonly line: number;
  readonly basis: 'measured' | 'estimated';
  readonly readsBlocked?: number;
  readonly writesBlocked?: number;
  /** Where each time comes from, for the message. */
  readonly basisText: Readonly<Record<Limited, string>>;
}

/** The waits of each table: measured, or else estimated. */
function waitsOf(revision: AnalyzedRevision, found: readonly Finding[], measured: Measured | undefined): readonly TableWaits[] {
  const tables = (measured?.tables ?? []).flatMap((one): TableWaits[] => {
    const { table, rows, productionRows, readsBlocked, writesBlocked } = one;
    if (rows === 0) return [];
    const of = rows < productionRows ? ` of ${rowsText(productionRows)}` : '';
    const words = (milliseconds = 0) =>
      `measured on this machine: ${timeTaken(milliseconds)} on ${rowsText(rows)}${of} rows, scaled to production`;
    return [
      {
        table,
        line: lineOf(revision, table),
        basis: 'measured',
        ...(readsBlocked ? { readsBlocked: readsBlocked.inProduction / 1_000 } : {}),
        ...(writesBlocked ? { writesBlocked: writesBlocked.inProduction / 1_000 } : {}),
        basisText: { readsBlocked: words(readsBlocked?.milliseconds), writesBlocked: words(writesBlocked?.milliseconds) },
      },
    ];
  });
  const known = new Set(tables.map(({ table }) => table));
  return [...tables, ...estimatedWaits(revision, found).filter(({ table }) => !known.has(table))];
}

function overLimit({ facts }: AnalyzedRevision, wait: TableWaits, name: Limited, budgets: Budgets): Finding[] {
  const { table, line, basis, basisText: words } = wait;
  const [allowed, seconds] = [secondsOf(budgets[name]), wait[name]];
  if (allowed === undefined || seconds === undefined || seconds <= allowed) return [];
  const budget: OverBudget = {
    name,
    table,
    allowedMilliseconds: allowed * 1_000,
    milliseconds: Math.round(seconds * 1_000),
    basis,
  };
  const who = name === 'readsBlocked' ? 'reads of' : 'writes to';
  return [
    {
      ...budgetFinding(facts, line, budget),
      message: `${who} ${table} wait for up to ${timeText(seconds)} in production (${words[name]}); the budget "${name}" allows ${budgets[name]}`,
    },
  ];
}

/** Waits from the estimates of other findings. Those of one transaction add up, because it keeps its locks. */
function estimatedWaits(revision: AnalyzedRevision, found: readonly Finding[]): readonly TableWaits[] {
  const part = revision.upgrade;
  const own = found.filter(
    ({ revision: id, direction, size }) => id === revision.facts.revision && direction !== 'downgrade' && size?.seconds,
  );
  const tables = [...new Set(own.flatMap(({ size }) => size?.tables ?? []))];
  return tables.flatMap((table): TableWaits[] => {
    const ofTable = own.filter(({ size }) => size?.tables.includes(table));
    const statements = new Map<string, { readonly finding: Finding; readonly step?: Step }>();
    for (const finding of ofTable) {
      const step = part.steps.find(({ line, sql }) => line === finding.line && (sql || undefined) === finding.statement);
      const key = `${finding.line} ${finding.statement}`;
      const before = statements.get(key)?.finding.size?.seconds?.likely ?? 0;
      // Several rules may report the same work.
      if ((finding.size?.seconds?.likely ?? 0) >= before) statements.set(key, { finding, ...(step ? { step } : {}) });
    }
    const writes = longestTransaction([...statements.values()]);
    const reads = longestTransaction([...statements.values()].filter(({ step }) => step && blocksReads(part, step, table)));
    if (!writes) return [];
    const words = (seconds?: Seconds) =>
      `estimated from the statistics, not measured: ${timeText(seconds?.low ?? 0)} to ${timeText(seconds?.high ?? 0)}`;
    return [
      {
        table,
        line: ofTable[0]?.line ?? 1,
        basis: 'estimated',
        writesBlocked: writes.likely,
        ...(reads ? { readsBlocked: reads.likely } : {}),
        basisText: { readsBlocked: words(reads), writesBlocked: words(writes) },
      },
    ];
  });
}

/** The time of the transaction that takes longest. */
function longestTransaction(statements: readonly { readonly finding: Finding; readonly step?: Step }[]): Seconds | undefined {
  const sums = new Map<string, Seconds>();
  for (const { finding, step } of statements) {
    const { low, likely, high } = finding.size?.seconds ?? { low: 0, likely: 0, high: 0 };
    const key = step && step.transaction >= 0 ? `${step.transaction}` : `alone ${finding.line}`;
    const sum = sums.get(key) ?? { low: 0, likely: 0, high: 0 };
    sums.set(key, { low: sum.low + low, likely: sum.likely + likely, high: sum.high + high });
  }
  return [...sums.values()].sort((one, other) => other.likely - one.likely)[0];
}

/** Whether a table is locked against reads while a step runs, by that step or by an earlier one of its transaction. */
function blocksReads(part: RevisionFunction, step: Step, table: string): boolean {
  const before = part.steps.filter(
    (other) => other === step || (step.transaction >= 0 && other.transaction === step.transaction && other.index < step.index),
  );
  return before.some((other) => exclusivelyLocked(other, part).includes(table));
}

/** Findings about rewritten tables, except small and truncated ones. */
function rewriteFindings(revision: AnalyzedRevision, sizes: ReviewOptions['sizes']): readonly Finding[] {
  const { facts, upgrade } = revision;
  const steps = upgrade.steps.filter(({ action }) => action.does !== 'truncate' && action.does !== 'drop');
  const seen = new Map<string, number>();
  for (const { observed, isExisting, line } of steps) {
    for (const table of observed?.rewrites ?? []) {
      if (upgrade.findTable(table) && isExisting(table) && !seen.has(table)) seen.set(table, line);
    }
  }
  const small = (name: string) => {
    const table = sizes?.statistics.tables.find((one) => one.name === name);
    return table !== undefined && sizes !== undefined && isSmall([table], sizes.smallTable);
  };
  return [...seen].flatMap(([table, line]) =>
    small(table)
      ? []
      : [
          {
            ...budgetFinding(facts, line, { name: 'rewrites', table }),
            message: `${table} is rewritten: it had another file afterwards (relfilenode); the budget "rewrites" allows no rewrite`,
          },
        ],
  );
}

/** The line where a table is first locked. */
function lineOf({ upgrade, facts }: AnalyzedRevision, table: string): number {
  const locking = upgrade.facts.statements.find(({ locks, line }) => line > 0 && locks.some((lock) => lock.table === table));
  return locking?.line ?? facts.source.upgrade?.line ?? 1;
}

function budgetFinding(
  { revision, file }: AnalyzedRevision['facts'],
  line: number,
  budget: OverBudget,
): Omit<Finding, 'message'> {
  const { id, severity } = BUDGET;
  return { rule: id, severity, revision, file, line: Math.max(1, line), direction: 'upgrade', seen: 'replay', budget };
}
