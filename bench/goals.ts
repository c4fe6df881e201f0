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
export function rivalOf(goal: Goal): string | undefined {
  if ('than' in goal) return goal.than;
  return 'of' in goal ? goal.of : goal.over;
}

/**
 * Judges a goal by the medians.
 *
 * @param ours the median of the row's own variant
 * @param rival the median of the variant that {@link rivalOf} names
 */
export function judge(goal: Goal, ours: number, rival: number | undefined): Verdict {
  if (rivalOf(goal) !== undefined && rival === undefined)
    throw new Error(`${rivalOf(goal)} was not measured, so there is no ratio`);
  const value = compared(goal, ours, rival ?? 0);
  return { goal, value, met: isMet(goal, value) };
}

function compared(goal: Goal, ours: number, rival: number): number {
  if ('than' in goal) return rival / ours;
  return 'of' in goal ? ours / rival : ours - rival;
}

export function isMet(goal: Goal, value: number): boolean {
  if ('than' in goal) return value >= goal.timesFaster;
  return value <= ('of' in goal ? goal.atMostTimes : goal.atMost);
}
