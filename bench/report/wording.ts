import { type Goal, rivalOf, type Verdict } from '../goals';
import type { MeasuredRow } from '../results';
import { shown, type Unit } from '../units';

/** A goal in words. */
export function goalText(goal: Goal, unit: Unit): string {
  if ('than' in goal) return goal.timesFaster === 1 ? 'never slower' : `${goal.timesFaster} times as fast`;
  if ('of' in goal) return `at most ${goal.atMostTimes} times`;
  return `at most ${shown(goal.atMost, unit)}${goal.over ? ' more' : ''}`;
}

/** What came of a goal, in the same words. */
export function verdictText({ goal, value }: Verdict, unit: Unit): string {
  if ('than' in goal) return `${value.toFixed(2)} times as fast`;
  if ('of' in goal) return `${value.toFixed(2)} times`;
  return `${shown(value, unit)}${goal.over ? ' more' : ''}`;
}

export function mark({ met }: Verdict): '✓' | '✗' {
  return met ? '✓' : '✗';
}

/** What is said of a variant: a goal belongs to the variant it compares with, or to ours. */
export function verdictsAbout({ variants: [ours], verdicts }: MeasuredRow, name: string): readonly Verdict[] {
  return verdicts.filter(({ goal }) => (rivalOf(goal) ?? ours?.name) === name);
}
