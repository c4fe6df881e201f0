/** Writes one JSON line. Never hand in the event as it is: its ResponseURL lets anybody answer CloudFormation. */
export function log(level: 'info' | 'warning' | 'error', message: string, fields: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify({ level, message, ...fields })}\n`);
}
