import { createHash } from 'node:crypto';
import type { Finding } from '../finding';

/**
 * Adds an id to each finding, from its rule, revision and statement. It stays the same if lines move, a file is renamed or other
 * findings come and go.
 */
export function withFingerprints(findings: readonly Finding[]): { readonly finding: Finding; readonly fingerprint: string }[] {
  const seen = new Map<string, number>();
  return findings.map((finding) => {
    const { rule, revision, file, direction = '', statement, message } = finding;
    const key = [rule, revision ?? file, direction, (statement ?? message).replace(/\s+/g, ' ')].join('\0');
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    const fingerprint = createHash('sha256').update(`${key}\0${times}`).digest('hex').slice(0, 16);
    return { finding, fingerprint };
  });
}
