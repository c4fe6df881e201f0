export type Unit = 'ms' | 'bytes' | 'calls' | 'queries' | 'faults' | 'times';

/** A measurement as text. */
export function shown(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return value < 1000 ? `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
    case 'bytes':
      return `${(value / 1024 / 1024).toFixed(1)} MB`;
    case 'times':
      return `${value.toFixed(2)} times`;
    default:
      return `${value} ${value === 1 ? SINGULAR[unit] : unit}`;
  }
}

const SINGULAR = { calls: 'call', queries: 'query', faults: 'fault' };
