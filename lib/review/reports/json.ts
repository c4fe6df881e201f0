import type { Review } from '../finding';

/** The review itself, as schema/review.json describes it. */
export function jsonReport(review: Review): string {
  return `${JSON.stringify(review, null, 2)}\n`;
}
