/** Writes one JSON line. Never pass the whole event: with its ResponseURL, anyone can answer CloudFormation. */
export function log(level: 'info' | 'warning' | 'error', message: string, fields: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify({ level, message, ...fields })}\n`);
}
