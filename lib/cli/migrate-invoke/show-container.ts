import type { StartedContainer } from '../../client/container/in-container';
import { plain, type Terminal } from '../screen/terminal';

/** Says that a run goes on in the container, and how to end it. */
export function showContainer(terminal: Terminal, { revisions, executionArn }: StartedContainer): void {
  terminal.line(`  in the container: ${revisions.map(plain).join(', ')}; it takes about a minute to start`);
  terminal.fact('execution', executionArn);
  terminal.fact('to end it', stopCommand(executionArn));
}

/** The command that ends an execution; its statement is cancelled in the database. */
export function stopCommand(executionArn: string): string {
  return `aws stepfunctions stop-execution --execution-arn ${executionArn}`;
}
