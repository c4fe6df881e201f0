import type { Options } from '../../options';

/** Any of these selects the command for many tenants. */
export const TENANTS_OPTIONS = {
  tenants: { type: 'string' },
  'retry-failed': { type: 'boolean' },
  run: { type: 'string' },
  approve: { type: 'string' },
  reject: { type: 'string' },
  stop: { type: 'string' },
} as const satisfies Options;

export const TENANTS_OPTION_NAMES = Object.keys(TENANTS_OPTIONS) as (keyof typeof TENANTS_OPTIONS)[];
