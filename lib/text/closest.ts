/** The known name closest to a mistyped one; undefined if none is close. */
export function closest(typed: string, names: readonly string[]): string | undefined {
  const begun = names.filter((name) => typed.length > 2 && name.startsWith(typed));
  if (begun.length === 1) return begun[0];
  // Two swapped letters count twice.
  const most = typed.length < 5 ? 1 : 2;
  const near = names.map((name) => ({ name, edits: edits(typed, name) })).filter((other) => other.edits <= most);
  return near.sort((one, other) => one.edits - other.edits)[0]?.name;
}

/** How many letters to insert, remove or replace, https://en.wikipedia.org/wiki/Levenshtein_distance */
function edits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [at, other] of [...to].entries()) {
      const replaced = (row[at] as number) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] as number) + 1, (next[at] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
