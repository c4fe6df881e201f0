import type { Ask, MeasuredFacts, MeasureLimits } from '../../../contract/facts';
import { MigrateError } from '../../../contract/failure';
import { secondsOf } from '../../../local/limits';
import { measure } from '../../../local/python/observe';
import type { Observer } from '../../../local/python/observer';
import type { Settings } from '../../../local/settings';
import type { ReviewInput } from '../../../review';
import type { Sizes } from '../../../review/sizes/size';
import type { Session } from '../session';
import { ReplayProgress } from './progress';
import { readSizes } from './sizes';

/** The default of the setting `measure`: a minute or two on a laptop, without filling a disk. */
const MEASURE_LIMITS: MeasureLimits = { rows: 1_000_000, bytes: 1_000_000_000, seconds: 300 };

const NEXT =
  'name their file with --statistics or the setting "statistics"; `npx migrate-invoke --stage <stage> --command statistics --json` writes it';

/** The sizes of production, if an option or setting requires them. Throws a {@link MigrateError}. */
export function requireSizes(
  settings: Settings,
  { statistics, measure }: { readonly statistics?: string; readonly measure: boolean },
): void {
  const { writesBlocked, readsBlocked } = settings.budgets ?? {};
  const needs = measure ? '--measure' : writesBlocked || readsBlocked ? 'the setting "budgets"' : undefined;
  if (needs && !readSizes(settings, statistics))
    throw new MigrateError('invalid_usage', `${needs} needs the sizes of production`, NEXT);
}

/** Measures the replayed revisions that change tables of production. */
export async function measureRevisions(
  { screen, common, settings }: Session,
  observer: Observer,
  { graph, revisions }: ReviewInput,
  { statistics: { tables } }: Sizes,
  scratch: Pick<Extract<Ask, { ask: 'measure' }>, 'baseline' | 'overwrite'>,
): Promise<readonly MeasuredFacts[]> {
  const filled = new Set(
    tables.filter(({ rows, kind }) => rows > 0 && /^(partitioned )?table$/.test(kind)).map(({ name }) => name),
  );
  const wanted = revisions.flatMap(({ revision, upgrade, before, after, changes }) => {
    const own = Object.keys(before).filter((name) => filled.has(name));
    if (upgrade.outcome !== 'done' || own.length === 0) return [];
    return [{ revision, tables: own, after, added: changes?.added ?? {} }];
  });
  if (wanted.length === 0) return [];
  const progress = common.progress ? new ReplayProgress(screen, graph, 'measuring') : undefined;
  try {
    const targets = tables.map(({ name, rows, columns }) => ({ name, rows, columns }));
    const ask = { revisions: wanted, tables: targets, limits: limitsOf(settings), ...scratch };
    return await measure(observer, ask, (report) => progress?.advance(report));
  } finally {
    progress?.stop();
  }
}

function limitsOf({ measure: { time, ...rest } = {} }: Settings): MeasureLimits {
  return { ...MEASURE_LIMITS, ...rest, ...(time === undefined ? {} : { seconds: secondsOf(time) as number }) };
}
