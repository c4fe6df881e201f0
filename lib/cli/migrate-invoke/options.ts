import type { Options } from '../options';
import { TENANTS_OPTIONS } from './tenants/options';

/** All options, including those for many tenants: only parsing shows which parser applies. */
export const OPTIONS = {
  stage: { type: 'string' },
  command: { type: 'string' },
  revision: { type: 'string' },
  to: { type: 'string' },
  'dry-run': { type: 'boolean' },
  allow: { type: 'string' },
  snapshot: { type: 'boolean' },
  in: { type: 'string' },
  'wait-lock': { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  json: { type: 'boolean' },
  sarif: { type: 'string' },
  follow: { type: 'boolean' },
  'no-progress': { type: 'boolean' },
  'app-name': { type: 'string' },
  'function-name': { type: 'string' },
  region: { type: 'string' },
  profile: { type: 'string' },
  'endpoint-url': { type: 'string' },
  ...TENANTS_OPTIONS,
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies Options;

export type OptionName = keyof typeof OPTIONS;
