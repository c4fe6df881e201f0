/** The first three names, and the number of the others: `a, b, c and 2 more`. */
export function nameList(names: readonly string[], separator = ', '): string {
  return names.slice(0, 3).join(separator) + (names.length > 3 ? ` and ${names.length - 3} more` : '');
}
