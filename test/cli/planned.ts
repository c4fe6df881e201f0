import type { MigrateAnswer, MigrateRequest } from '../../lib/contract';
import { answer } from '../support/aws/answers';
import type { Reply } from '../support/aws/lambda';

export const pending = [
  { revision: 'b2', message: 'Add items' },
  { revision: 'c3', message: 'Add notes' },
];

export const loss = { rule: 'drop-table', what: 'drop_table users', file: 'b2.py', line: 12 } as const;

type Replying = (request: MigrateRequest, call: number) => Reply;

/**
 * A runner that answers what the command asks before it changes anything, and then does what the test wants.
 *
 * @param reply to each call after the first; `call` counts from 1
 * @param found says where the database is: at a1, with b2 and c3 pending, unless told otherwise
 */
export function planned(reply: Reply | Replying, found: Partial<MigrateAnswer> = {}): Replying {
  const at = ['a1'];
  return (request, call) => {
    if (call > 1) return typeof reply === 'function' ? reply(request, call - 1) : reply;
    return { answer: answer({ command: request.command, status: 'pending', from: at, to: at, pending, ...found }) };
  };
}

/** A run that applies b2 and c3, one in each call. */
export function oneByOne(stage = 'dev'): Replying {
  return planned(
    (_, call) => {
      const [done, next] = [pending[call - 1], pending[call]];
      const status = next ? 'partial' : 'complete';
      const applied = done ? [{ ...done, durationMs: 12, statements: 1 }] : [];
      const left = next ? [next] : [];
      const to = done ? [done.revision] : [];
      return { answer: answer({ stage, status, from: ['a1'], to, applied, pending: left }) };
    },
    { stage },
  );
}
