/** Which files and packages a file imports. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Files that import each other, directly or through others; a file that imports itself, too. */
export function circles(imports: Imports): string[][] {
  const found: string[][] = [];
  const indexes = new Map<string, number>();
  const stack: string[] = [];
  // Tarjan: https://epubs.siam.org/doi/10.1137/0201010
  const visit = (file: string): number => {
    const index = indexes.size;
    indexes.set(file, index);
    stack.push(file);
    let low = index;
    for (const next of imports.get(file) ?? []) {
      if (!imports.has(next)) continue;
      if (!indexes.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, indexes.get(next) as number);
    }
    if (low === index) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1 || imports.get(file)?.includes(file)) found.push(circle.sort());
    }
    return low;
  };
  for (const file of imports.keys()) if (!indexes.has(file)) visit(file);
  return found;
}
