/** How many requests to S3 are under way at the same time. */
const WIDTH = 32;

/** Calls back for every item, some at a time; the results have the items' order. */
export async function inParallel<Item, Result>(items: readonly Item[], use: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  const entries = items.entries();
  const work = async () => {
    // One iterator for all: each takes the next item.
    for (const [index, item] of entries) results[index] = await use(item);
  };
  await Promise.all(Array.from({ length: Math.min(WIDTH, items.length) }, work));
  return results;
}
