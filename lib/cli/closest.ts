/** The name that a mistyped one means; undefined: none is close to it. */
export function closest(typed: string, names: readonly string[]): string | undefined {
  const begun = names.filter((name) => typed.length > 2 && name.startsWith(typed));
  if (begun.length === 1) return begun[0];
  const allowed = Math.min(2, Math.floor(typed.length / 3));
  const found = names.map((name) => ({ name, edits: edits(typed, name) })).filter((one) => one.edits <= allowed);
  return found.sort((one, other) => one.edits - other.edits)[0]?.name;
}

/** How many letters to insert, remove, replace or swap with their neighbor. */
function edits(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, at) => at)];
  for (let at = 1; at <= from.length; at++) {
    const row = [at];
    const [last = [], before = []] = [rows[at - 1], rows[at - 2]];
    for (let on = 1; on <= to.length; on++) {
      const same = from[at - 1] === to[on - 1] ? 0 : 1;
      const isSwap = at > 1 && on > 1 && from[at - 1] === to[on - 2] && from[at - 2] === to[on - 1];
      const swapped = isSwap ? (before[on - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row[on] = Math.min((last[on] ?? 0) + 1, (row[on - 1] ?? 0) + 1, (last[on - 1] ?? 0) + same, swapped);
    }
    rows.push(row);
  }
  return rows[from.length]?.[to.length] ?? 0;
}
