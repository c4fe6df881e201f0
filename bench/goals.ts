/** What a row promises for its first variant, ours. `than`, `of` and `over` name another variant of the row. */
export type Goal =
  | { readonly timesFaster: number; readonly than: string }
  | { readonly atMostTimes: number; readonly of: string }
  | { readonly atMost: number; readonly over?: string };

/** Whether a goal was met. */
export interface Verdict {
  readonly goal: Goal;
  /** What the goal speaks of: a ratio, a difference, or the measure itself. */
  readonly value: number;
  readonly met: boolean;
}

/** The variant that a goal compares with; undefined for an absolute limit. */
export function baselineOf(goal: Goal): string | undefined {
  if ('than' in goal) return goal.than;
  return 'of' in goal ? goal.of : goal.over;
}

/**
 * Judges a goal by the medians.
 *
 * @param ours the median of the row's own variant
 * @param baseline the median of the variant that {@link baselineOf} names
 */
export function judge(goal: Goal, ours: number, baseline: number | undefined): Verdict {
  if (baselineOf(goal) !== undefined && baseline === undefined)
    throw new Error(`${baselineOf(goal)} was not measured, so there is no ratio`);
  const value = compared(goal, ours, baseline ?? 0);
  return { goal, value, met: isMet(goal, value) };
}

function compared(goal: Goal, ours: number, baseline: number): number {
  if ('than' in goal) return baseline / ours;
  return 'of' in goal ? ours / baseline : ours - baseline;
}

export function isMet(goal: Goal, value: number): boolean {
  if ('than' in goal) return value >= goal.timesFaster;
  return value <= ('of' in goal ? goal.atMostTimes : goal.atMost);
}
