import type { closestMatch } from 'leven';

/** The known name closest to a mistyped one; undefined if none is close. */
export function closest(typed: string, names: readonly string[]): string | undefined {
  const begun = names.filter((name) => typed.length > 2 && name.startsWith(typed));
  if (begun.length === 1) return begun[0];
  // Two swapped letters count twice.
  return leven().closestMatch(typed, names, { maxDistance: typed.length < 5 ? 1 : 2 });
}

/** Loaded only for a mistyped name: an ES module, which `require` can load after bundling. */
function leven(): { closestMatch: typeof closestMatch } {
  return require('leven');
}
