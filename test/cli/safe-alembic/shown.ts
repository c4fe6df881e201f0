import { showReview } from '../../../lib/cli/safe-alembic/replay/show-review';
import { Terminal } from '../../../lib/cli/screen/terminal';
import type { Review } from '../../../lib/review/finding';

/** What a stream of so many columns gets; without: a file. */
export function shown(review: Review, columns?: number): string {
  return textOf((terminal) => showReview(terminal, review), columns);
}

export function textOf(show: (terminal: Terminal) => void, columns?: number): string {
  let text = '';
  const write = (piece: string): boolean => {
    text += piece;
    return true;
  };
  const stream = { write, isTTY: columns !== undefined, columns, hasColors: () => false };
  show(new Terminal(stream as unknown as NodeJS.WriteStream));
  return text;
}
