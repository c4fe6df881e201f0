import type { Review } from '../../../review';
import { EXIT } from '../../exit-codes';

/** The exit code of a review. One that checked nothing counts as not started. */
export function exitCodeOfReview({ failed, notChecked }: Pick<Review, 'failed' | 'notChecked'>): number {
  if (notChecked && notChecked.code !== 'not_replayed') return EXIT.notStarted;
  return failed ? EXIT.failed : EXIT.done;
}
