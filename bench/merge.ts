import type { Results } from './results';

/**
 * Replaces rows of earlier results by the same rows that were measured alone. The others stay; what was measured on
 * another day than the whole keeps its own date.
 *
 * @param names of all rows, in the order of the table
 */
export function merge(before: Results, after: Results, names: readonly string[]): Results {
  refuseOtherMachine(before, after);
  const measured = after.rows.map((row) => (after.date === before.date ? row : { ...row, date: after.date }));
  const all = [...measured, ...before.rows.filter(({ name }) => !after.rows.some((row) => row.name === name))];
  return { ...before, rows: names.flatMap((name) => all.find((row) => row.name === name) ?? []) };
}

function refuseOtherMachine({ machine: before }: Results, { machine: after }: Results): void {
  const [then, now] = [before, after].map((machine) => JSON.stringify(machine));
  if (then !== now) throw new Error(`the other rows were measured on ${then}, these on ${now}: measure all rows again`);
}
