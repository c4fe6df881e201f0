import { parseJson } from '../../client/json';
import { plain } from '../screen/terminal';

/** One event of the function's log as readable text; undefined for Lambda's own lines. */
export function logLine(message: string): string | undefined {
  if (message.trim() === '' || /^(START|END|REPORT|INIT_START|INIT_REPORT) /.test(message)) return undefined;
  const line = parseJson(message);
  if (typeof line !== 'object' || line === null || !('event' in line)) return plain(message);
  const { level, event, ...facts } = line as Record<string, unknown>;
  const shown = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return plain([level, event, ...shown].filter((part) => part !== undefined).join(' '));
}
