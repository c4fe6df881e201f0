import { distance } from 'fastest-levenshtein';

/** The known name closest to a mistyped one; undefined if none is close. */
export function closest(typed: string, names: readonly string[]): string | undefined {
  const begun = names.filter((name) => typed.length > 2 && name.startsWith(typed));
  if (begun.length === 1) return begun[0];
  // Two swapped letters count twice.
  const most = typed.length < 5 ? 1 : 2;
  const near = names.map((name) => ({ name, edits: distance(typed, name) })).filter(({ edits }) => edits <= most);
  return near.sort((one, other) => one.edits - other.edits)[0]?.name;
}
