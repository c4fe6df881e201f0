import { createHash } from 'node:crypto';

/** How Python's `json.dumps` separates items, and keys from values. */
type Separators = readonly [string, string];

/** JSON as Python's `json.dumps(value, sort_keys=True)` writes it, for other tools' checksums. */
function pythonJson(value: unknown, separators: Separators = [', ', ': ']): string {
  const [item, key] = separators;
  if (Array.isArray(value)) return `[${value.map((one) => pythonJson(one, separators)).join(item)}]`;
  if (value && typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, one]) => `${pythonJson(name)}${key}${pythonJson(one, separators)}`).join(item)}}`;
  }
  const text = JSON.stringify(value ?? null);
  return text.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** SHA-256 of that JSON, in hexadecimal digits. */
export function hashOfJson(value: unknown, separators?: Separators): string {
  return createHash('sha256').update(pythonJson(value, separators)).digest('hex');
}
