import type { Node } from 'libpg-query';

/** By what a condition finds rows: by other rows, such as `id NOT IN (SELECT ...)`, or by their age, such as `at < now()`. */
export function foundBy(where: Node | undefined, joined: readonly Node[]): 'query' | 'age' | undefined {
  const tree = JSON.stringify(where ?? {});
  if (joined.length || tree.includes('"SubLink"')) return 'query';
  return /"SQLValueFunction"|"sval":"(?:now|age|(?:clock|statement|transaction)_timestamp)"/.test(tree) ? 'age' : undefined;
}
