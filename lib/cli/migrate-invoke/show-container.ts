import type { StartedContainer } from '../../client/container/in-container';
import { plain, type Terminal } from '../screen/terminal';

/** Shows that a run continues in the container, and how to stop it. */
export function showContainer(terminal: Terminal, { revisions, executionArn }: StartedContainer): void {
  terminal.line(`  in the container: ${revisions.map(plain).join(', ')}; it takes about a minute to start`);
  terminal.fact('execution', executionArn);
  terminal.fact('to stop', stopCommand(executionArn));
}

/** The command that stops an execution. Its statement is canceled in the database. */
export function stopCommand(executionArn: string): string {
  return `aws stepfunctions stop-execution --execution-arn ${executionArn}`;
}
