import { baselineOf, type Goal, isMet, type Verdict } from '../goals';
import type { MeasuredRow } from '../results';
import { shown, type Unit } from '../units';

/** A goal in words. */
export function goalText(goal: Goal, unit: Unit): string {
  if ('than' in goal) return goal.timesFaster === 1 ? 'never slower' : `${goal.timesFaster} times as fast`;
  if ('of' in goal) return `at most ${goal.atMostTimes} times`;
  if (goal.atMost < 0) return `at least ${fewer(-goal.atMost, unit)}`;
  return `at most ${shown(goal.atMost, unit)}${goal.over ? ' more' : ''}`;
}

/** The result of a goal, in the same words. */
export function verdictText(verdict: Verdict, unit: Unit): string {
  const { goal, value } = verdict;
  if ('than' in goal) return `${ratio(verdict)} times as fast`;
  if ('of' in goal) return `${ratio(verdict)} times`;
  if (goal.over && value < 0) return fewer(-value, unit);
  return `${shown(value, unit)}${goal.over ? ' more' : ''}`;
}

/** Such as `8 fewer faults`. */
function fewer(value: number, unit: Unit): string {
  const [number, ...words] = shown(value, unit).split(' ');
  return unit === 'ms' || unit === 'bytes' ? `${number} ${words.join(' ')} less` : `${number} fewer ${words.join(' ')}`;
}

/** Enough digits to show on which side of the goal it is. */
function ratio({ goal, value, met }: Verdict): string {
  const enough = [2, 3, 4].find((digits) => isMet(goal, Number(value.toFixed(digits))) === met);
  return value.toFixed(enough ?? 5);
}

export function mark({ met }: Verdict): '✓' | '✗' {
  return met ? '✓' : '✗';
}

/** The verdicts about a variant: a goal belongs to the variant it compares with, or to ours. */
export function verdictsAbout({ variants: [ours], verdicts }: MeasuredRow, name: string): readonly Verdict[] {
  return verdicts.filter(({ goal }) => (baselineOf(goal) ?? ours?.name) === name);
}
