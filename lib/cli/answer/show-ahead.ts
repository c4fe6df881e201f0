import type { MigrateAnswer } from '../../contract';
import { plain, revisionNames, type Terminal } from '../screen/terminal';

/** Shows that a newer release has migrated the database. */
export function showAhead(terminal: Terminal, { to, heads, unknown }: MigrateAnswer): void {
  terminal.warning(`the database is at ${revisionNames(to)}, ahead of the deployed code, whose head is ${revisionNames(heads)}`);
  terminal.line(`  not in the code: ${unknown.map(plain).join(', ')}; deploy the release that has it`);
}
