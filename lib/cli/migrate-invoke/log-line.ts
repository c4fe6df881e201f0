import { parseJson } from '../../client/json';
import { plain } from '../screen/terminal';

/** One event of the function's log as a person reads it; undefined: Lambda's own, of no interest. */
export function logLine(message: string): string | undefined {
  if (message.trim() === '' || /^(START|END|REPORT|INIT_START|INIT_REPORT) /.test(message)) return undefined;
  const line = parseJson(message);
  if (typeof line !== 'object' || line === null || !('event' in line)) return plain(message);
  const { level, event, ...facts } = line as Record<string, unknown>;
  const told = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return plain([level, event, ...told].filter((part) => part !== undefined).join(' '));
}
