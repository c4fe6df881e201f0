/** The maximum number of concurrent requests to S3. */
const WIDTH = 32;

/** Calls back for every item with limited concurrency, and returns the results in the items' order. */
export async function inParallel<Item, Result>(items: readonly Item[], use: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  const entries = items.entries();
  const work = async () => {
    // All workers share one iterator, so each takes the next item.
    for (const [index, item] of entries) results[index] = await use(item);
  };
  await Promise.all(Array.from({ length: Math.min(WIDTH, items.length) }, work));
  return results;
}
