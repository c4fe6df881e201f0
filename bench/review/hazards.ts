import type { Hazard } from './cases';

/*
 * The hazards that each rule of each tool reports. A rule that is not listed (style, names, timeouts) reports none.
 */

const LOCK = ['blocks-writes', 'blocks-reads'] as const;

type Rules = Readonly<Record<string, readonly Hazard[]>>;

/** https://squawkhq.com/docs/rules */
export const SQUAWK: Rules = {
  'adding-field-with-default': ['blocks-reads'],
  'adding-foreign-key-constraint': LOCK,
  'adding-not-nullable-field': ['blocks-reads', 'fails'],
  'adding-required-field': ['fails', 'breaks-running-code'],
  'adding-serial-primary-key-field': LOCK,
  'ban-alter-domain-with-add-constraint': ['blocks-reads'],
  'ban-concurrent-index-creation-in-transaction': ['fails'],
  'ban-drop-column': ['loses-data', 'breaks-running-code'],
  'ban-drop-database': ['loses-data'],
  'ban-drop-table': ['loses-data', 'breaks-running-code'],
  'ban-truncate-cascade': ['loses-data'],
  'changing-column-type': ['blocks-reads', 'fails', 'loses-data'],
  'constraint-missing-not-valid': LOCK,
  'disallowed-unique-constraint': LOCK,
  'prefer-repack': ['blocks-reads'],
  'renaming-column': ['breaks-running-code'],
  'renaming-table': ['breaks-running-code'],
  'require-concurrent-index-creation': LOCK,
  'require-concurrent-index-deletion': LOCK,
  'require-concurrent-partition-detach': LOCK,
  'require-concurrent-refresh-materialized-view': ['blocks-reads'],
  'require-concurrent-reindex': LOCK,
};

/** https://github.com/ShalomHunukumbura/alembic-guard, and `alembic-guard --list-rules` */
export const ALEMBIC_GUARD: Rules = {
  AG001: ['fails', 'breaks-running-code'],
  AG002: LOCK,
  AG003: ['fails'],
  AG004: ['breaks-running-code'],
  AG005: ['breaks-running-code', 'loses-data'],
  AG006: ['blocks-reads', 'fails', 'loses-data'],
  AG007: ['blocks-reads', 'fails'],
  AG008: LOCK,
  AG009: ['blocks-reads'],
  AG010: [...LOCK, 'fails'],
};

/** docs/review.md */
export const SAFE_ALEMBIC: Rules = {
  ...Object.fromEntries(Object.entries(SQUAWK).map(([rule, hazards]) => [`squawk-${rule}`, hazards])),
  'index-not-concurrent': LOCK,
  'foreign-key-not-valid': LOCK,
  'check-not-valid': LOCK,
  'validate-in-same-transaction': LOCK,
  'constraint-builds-index': LOCK,
  'set-not-null-scan': LOCK,
  'table-rewrite': LOCK,
  'work-under-lock': LOCK,
  'lock-table': LOCK,
  'locks-several-tables': LOCK,
  'attach-partition-scan': LOCK,
  'drop-primary-key': LOCK,
  'drop-table': ['loses-data', 'breaks-running-code'],
  'drop-column': ['loses-data', 'breaks-running-code'],
  'drop-schema': ['loses-data'],
  'drop-type': ['loses-data'],
  'drop-sequence': ['loses-data'],
  truncate: ['loses-data'],
  cascade: ['loses-data'],
  'delete-all': ['loses-data'],
  'detach-partition': ['loses-data'],
  'drop-materialized-view': ['loses-data'],
  'drop-cascade': ['loses-data'],
  'drop-owned': ['loses-data'],
  'clear-column': ['loses-data'],
  'convert-column': ['loses-data'],
  'narrowing-type': ['fails', 'loses-data'],
  'not-null-on-existing-rows': ['fails'],
  'trigger-disabled': ['loses-data'],
  rename: ['breaks-running-code'],
  'not-null-without-default': ['fails', 'breaks-running-code'],
  'required-column': ['breaks-running-code'],
  'drop-in-use': ['breaks-running-code'],
  'unique-on-existing-rows': ['fails'],
  'sequence-out-of-sync': ['breaks-running-code'],
  'row-security-without-policy': ['breaks-running-code'],
  'expand-and-contract-in-one': ['breaks-running-code'],
  'upgrade-fails': ['fails'],
  'concurrently-in-transaction': ['fails'],
  'enum-value-in-transaction': ['fails'],
  'update-all': ['long-transaction'],
  'unbatched-loop': ['long-transaction'],
  'batches-in-transaction': ['long-transaction'],
  'sleep-in-transaction': ['long-transaction'],
  'downgrade-missing': ['downgrade'],
  'downgrade-fails': ['downgrade'],
  'reupgrade-fails': ['downgrade'],
  'downgrade-not-restoring': ['downgrade'],
  'downgrade-loses-data': ['downgrade'],
  'drop-constraint-none': ['downgrade'],
  'imports-application': ['outside'],
  'reads-outside': ['outside'],
};
