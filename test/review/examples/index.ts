import { COMPATIBILITY } from './compatibility';
import { CONVENTIONS } from './conventions';
import { DATA_LOSS } from './data-loss';
import { DATA_MIGRATIONS } from './data-migrations';
import type { Example } from './example';
import { LOCKING } from './locking';
import { REVERSIBILITY } from './reversibility';
import { SQUAWK } from './squawk';
import { TRANSACTIONS } from './transactions';

export const EXAMPLES: readonly Example[] = [
  ...LOCKING,
  ...DATA_LOSS,
  ...REVERSIBILITY,
  ...COMPATIBILITY,
  ...TRANSACTIONS,
  ...DATA_MIGRATIONS,
  ...CONVENTIONS,
  ...SQUAWK,
];
