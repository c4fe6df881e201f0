import fc from 'fast-check';

/** How many random events each test sends. */
export const EVENTS = Number(process.env.EVENTS ?? 300);

/** `npm test` sends the same events each time; the soak tests send others. */
const SEED = process.env.EVENTS === undefined ? 1 : undefined;

// 100,000 events take hours on a busy machine.
jest.setTimeout(Math.max(600_000, EVENTS * 100));

/** A JSON value, mostly small. */
export const json = fc.jsonValue({ maxDepth: 2 });

/** A text with everything that a terminal, JSON or a key could trip over; some are longer than any limit. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('../../x', '__proto__', '"\n'.repeat(30_000), 'ü'.repeat(5_000), '\u202e', ''),
);

/** A valid object in which up to two keys have another value, or are missing. */
export function damaged<T extends object>(valid: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(json, anyText, fc.constant(undefined))), { maxLength: 2 });
  return fc.tuple(valid, changes).map(([value, list]) => {
    const copy = { ...value } as Record<string, unknown>;
    const keys = Object.keys(copy);
    for (const [index, other] of list) copy[keys[index % keys.length] as string] = other;
    return JSON.parse(JSON.stringify(copy));
  });
}

/** Runs a property that many times, in an order that a failure names. */
export function always<T>(events: fc.Arbitrary<T>, holds: (event: T) => Promise<void>): Promise<void> {
  const property = fc.asyncProperty(events, holds).afterEach(() => {
    // Mocks remember each call, and 100,000 of them do not fit into memory.
    jest.clearAllMocks();
  });
  // Shrinking would repeat thousands of calls.
  return fc.assert(property, { numRuns: EVENTS, seed: SEED, endOnFailure: true });
}
