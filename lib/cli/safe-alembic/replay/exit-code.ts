import { EXIT } from '../../../contract/exit-codes';
import type { Review } from '../../../review';

/** The exit code of a review. A review that checked nothing counts as not started. */
export function exitCodeOfReview({ failed, notChecked }: Pick<Review, 'failed' | 'notChecked'>): number {
  if (notChecked && notChecked.code !== 'not_replayed') return EXIT.notStarted;
  return failed ? EXIT.failed : EXIT.done;
}
