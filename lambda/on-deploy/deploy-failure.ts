import type { MigrateError } from '../../lib/contract/failure';

/** A failure. Those of this handler have no code. */
export type Failure = Pick<MigrateError, 'message' | 'next'> & Partial<MigrateError>;

/*
 * CloudFormation accepts responses of 4,096 bytes. Besides the reason they contain the stack's id (up to 230), the resource's names
 * (up to 320), its attributes, and what the Provider framework adds: its log group and sometimes a stack trace
 * (up to 700). These limits, counted in the bytes of the JSON that is sent, keep the reason below 2,300.
 */
const MAX_MESSAGE_BYTES = 900;
const MAX_STATEMENT_BYTES = 500;
const MAX_NEXT_BYTES = 500;
const MAX_NAME_BYTES = 140;

/** An error whose message CloudFormation shows as the reason. */
export class DeployFailure extends Error {
  override readonly name = 'DeployFailure';

  /** @param parts of the message; empty ones are omitted */
  constructor(parts: readonly (string | undefined | false)[]) {
    super(parts.filter(Boolean).join('; '));
    // The framework appends the stack to the message, and bytes are scarce.
    this.stack = this.name;
  }
}

/** A migration that failed. */
export function migrationFailure(
  { code, message, revision, sqlState, statement, next }: Failure,
  functionName: string,
): DeployFailure {
  return new DeployFailure([
    `${code ? `[${code}] ` : ''}${cut(message, MAX_MESSAGE_BYTES)}`,
    revision && !message.includes(revision) && `revision ${cut(revision, MAX_NAME_BYTES)}`,
    sqlState && `SQLSTATE ${cut(sqlState, 5)}`,
    statement && `statement: ${cut(statement, MAX_STATEMENT_BYTES)}`,
    `log group /aws/lambda/${cut(functionName, MAX_NAME_BYTES)}`,
    `next: ${cut(next, MAX_NEXT_BYTES)}`,
  ]);
}

/** A text on one line, cut to a number of bytes in a JSON document. */
export function cut(text: string, maxBytes: number): string {
  const ellipsis = '…';
  const line = text.replace(/\s+/g, ' ').trim();
  if (bytesInJson(line) <= maxBytes) return line;
  let start = '';
  let left = maxBytes - bytesInJson(ellipsis);
  for (const character of line) {
    left -= bytesInJson(character);
    if (left < 0) break;
    start += character;
  }
  return start + ellipsis;
}

function bytesInJson(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
