import { plain, type Terminal } from '../screen/terminal';
import type { CallerIdentity } from './caller-identity';

/** The target of the command. */
export interface Header {
  readonly stage?: string;
  /** The function, or the state machine. */
  readonly called: readonly [kind: 'function' | 'machine', name: string];
  readonly region: string;
}

/** Shows the stage, the region and the caller. If the caller is unknown, a line says so and nothing fails. */
export async function showHeader(
  terminal: Terminal,
  { stage, called: [kind, name], region }: Header,
  who: () => Promise<CallerIdentity>,
): Promise<void> {
  if (stage !== undefined) terminal.fact('stage', terminal.paint('bold', stage));
  terminal.fact(kind, name);
  terminal.fact('region', region);
  try {
    const { account, arn } = await who();
    terminal.fact('account', plain(account));
    terminal.fact('you', plain(arn));
  } catch (error) {
    terminal.fact('you', `could not be determined: ${plain((error as Error).message)}`);
  }
}
