/** Most concurrent requests to S3. */
const WIDTH = 32;

/** Calls back for every item with limited concurrency; the results keep the items' order. */
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
