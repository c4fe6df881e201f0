import { answer, STATISTICS } from '../support/aws/answers';

/* What the contract's answers look like. The fake AWS answers like this, and the schemas of `--json` must take it. */

const RUN_ID = '0b8f7f2e-6a4e-4e0e-9a51-3f0c3a0d9f11';
const MACHINE = 'arn:aws:states:eu-central-1:111122223333:stateMachine:app-container';
const USERS = { revision: 'a1', message: 'Add users' };
const ITEMS = { revision: 'b2', message: 'Add items' };

const nothing = answer({ from: ['a1'], to: ['a1'], heads: ['a1'], target: ['a1'] });
const slice = {
  ...nothing,
  status: 'partial',
  continueWith: '54f972feefa5',
  from: [],
  heads: ['b2'],
  target: ['b2'],
  applied: [{ ...USERS, durationMs: 0, statements: 0 }],
  pending: [ITEMS],
  runId: RUN_ID,
};
const plan = {
  ...nothing,
  command: 'plan',
  status: 'pending',
  heads: ['b2'],
  target: ['b2'],
  pending: [ITEMS],
  dataLoss: [
    { revision: 'b2', rule: 'drop-table', what: 'drop_table users', file: 'b2.py', line: 12 },
    { revision: 'b2', rule: 'truncate', what: 'TRUNCATE items', file: 'b2.py', line: 14, acknowledgement: 'a cache' },
  ],
  edited: ['a1'],
  warnings: ['x'],
  protected: true,
  sql: [
    { revision: 'b2', sql: 'CREATE TABLE items (id int);' },
    { revision: 'c3', sql: null, reason: 'it reads the database' },
  ],
};
const run = {
  runId: RUN_ID,
  command: 'upgrade',
  stage: 'dev',
  requestedBy: 'deploy x',
  startedAt: '2026-01-01T00:00:00Z',
  endedAt: '2026-01-01T00:00:01Z',
  from: [],
  to: ['a1'],
  outcome: 'complete',
  applied: [{ ...USERS, durationMs: 12, statements: 2 }],
};

const PREPARED = {
  kind: 'prepared transaction',
  role: 'app',
  since: '2026-01-01T00:00:00Z',
  transaction: 'pay 7',
  table: 'users',
};
const READER = {
  pid: 4711,
  kind: 'client backend',
  role: 'app',
  application: 'shop',
  client: '10.0.3.7',
  state: 'idle in transaction',
  since: '2026-01-01T00:00:00Z',
  statement: 'SELECT * FROM users WHERE id = ?',
  table: 'users',
  lock: 'AccessShareLock',
};
const RESTORE_POINT = { at: '2026-01-01T00:00:00.123Z', instance: 'shop' };

/** Answers of the runner. */
export const ANSWERS = {
  'nothing to do': nothing,
  'a slice': slice,
  'a slice that ended a blocker': { ...slice, endedBlockers: [READER] },
  'a slice that stopped before the container': { ...slice, container: { revisions: ['b2'], stateMachineArn: MACHINE } },
  'a plan': plan,
  'a plan for a container that the stage does not have': { ...plan, container: { revisions: ['b2'] } },
  'a database that is ahead': { ...nothing, command: 'current', status: 'ahead', to: ['zz'], unknown: ['zz'] },
  'a history': {
    ...nothing,
    command: 'history',
    history: [{ ...USERS, downRevisions: [], applied: true }],
    runs: [
      { ...run, endedAt: null, outcome: 'running' },
      { ...run, outcome: 'cancelled', error: 'revision b2 was cancelled', restorePoint: RESTORE_POINT },
      { ...run, restorePoint: { ...RESTORE_POINT, cluster: 'shop', walPosition: '0/15D6A88' } },
      { ...run, restorePoint: { ...RESTORE_POINT, snapshot: 'shop-api-1' } },
      { ...run, error: null },
    ],
  },
  statistics: { ...nothing, command: 'statistics', statistics: STATISTICS },
  drift: {
    ...nothing,
    command: 'drift',
    drift: {
      status: 'drifted',
      keptAt: '2026-01-01T00:00:00Z',
      digest: 'a'.repeat(64),
      objects: [
        { change: 'removed', object: 'index orders_user_id', kept: 'CREATE INDEX a', ddl: 'CREATE INDEX CONCURRENTLY a;' },
        { change: 'added', object: 'column users.by_hand', found: 'integer', ddl: 'ALTER TABLE users DROP COLUMN by_hand;' },
      ],
    },
  },
  'drift that is not known': { ...nothing, command: 'drift', drift: { status: 'unknown', reason: 'no run', objects: [] } },
  'a plan of a database that feeds a subscriber': {
    ...plan,
    replication: {
      slots: [{ name: 'copy', plugin: 'pgoutput', active: true }],
      publications: [{ name: 'shop', allTables: false, tables: 1 }],
      breaks: [{ revision: 'b2', what: 'alters', table: 'items' }],
      unread: ['c3'],
    },
  },
  'a plan that makes a snapshot first': { ...plan, snapshot: { status: 'planned', cluster: 'shop' } },
  'a slice that waits for its snapshot': {
    ...slice,
    applied: [],
    snapshot: { status: 'creating', name: 'shop-api-1', cluster: 'shop', percent: 43 },
  },
  'a slice whose snapshot cannot begin': {
    ...slice,
    applied: [],
    snapshot: { status: 'waiting', name: 'shop-api-1', instance: 'shop', reason: 'InvalidDBInstanceState: backing-up' },
  },
  'a run that is under way': {
    ...nothing,
    command: 'current',
    running: {
      runId: RUN_ID,
      command: 'upgrade',
      requestedBy: 'deploy x',
      startedAt: run.startedAt,
      ...ITEMS,
      statement: 'CREATE INDEX ix ON items (name)',
      since: run.startedAt,
      elapsedMs: 12,
      phase: 'CREATE INDEX: building index: scanning table',
      percent: 43,
      secondsLeft: 120,
      blockers: [READER],
    },
  },
  'a key of a newer runner': { ...nothing, later: true },
};

const error = { code: 'locked', message: 'another migration run holds the mutex', next: 'wait for it to end' };

/** Failures of the runner. */
export const FAILURES = {
  'a bad request': { contract: 1, status: 'failed', error: { ...error, code: 'invalid_request' }, applied: [] },
  'a migration that failed': {
    contract: 1,
    status: 'failed',
    error: { ...error, code: 'migration_failed', revision: 'b2', sqlState: '42P07', statement: 'CREATE TABLE items' },
    applied: run.applied,
  },
  'a table that stayed locked': {
    contract: 1,
    status: 'failed',
    error: {
      ...error,
      code: 'lock_not_available',
      blockers: [READER, { ...PREPARED, queued: true, hidden: true }],
      restorePoint: RESTORE_POINT,
    },
    applied: [],
  },
  'a revision that destroys data': {
    contract: 1,
    status: 'failed',
    error: { ...error, code: 'blocked', dataLoss: plan.dataLoss },
    applied: [],
  },
};

const outcome = { tenant: 'acme', status: 'complete', from: ['a1'], to: ['b2'], applied: ['b2'], pending: 0, durationMs: 12 };
const upgraded = {
  contract: 1,
  command: 'upgrade',
  stage: 'dev',
  status: 'complete',
  heads: ['b2'],
  outcomes: [outcome],
  left: [],
  notStarted: [],
  failed: 0,
  dataLoss: [],
  warnings: [],
  protected: false,
};

/** Answers of the worker. */
export const TENANT_ANSWERS = {
  'all at head': upgraded,
  'one failed, others are left': {
    ...upgraded,
    status: 'partial',
    outcomes: [
      { ...outcome, status: 'failed', error },
      { ...outcome, tenant: 'b', status: 'partial' },
    ],
    left: [{ name: 'b' }, { name: 'c', schema: 's', secretArn: 'arn:c' }],
    failed: 1,
  },
  'too many failed': { ...upgraded, outcomes: [{ ...outcome, status: 'failed', error }], failed: 1, notStarted: ['b', 'c'] },
  'a plan': { ...upgraded, command: 'plan', outcomes: [{ ...outcome, status: 'pending', applied: [], pending: 1 }] },
};

export const TENANT_LISTS = {
  'a page': { contract: 1, command: 'tenants', stage: 'dev', tenants: [{ name: 'a' }, { name: 'b', schema: 's' }], more: true },
  none: { contract: 1, command: 'tenants', stage: 'dev', tenants: [], more: false },
};

const summary = {
  contract: 1,
  command: 'upgrade',
  stage: 'dev',
  runId: RUN_ID,
  status: 'complete',
  total: 2,
  unchanged: 1,
  migrated: 1,
  pending: 0,
  ahead: 0,
  failed: 0,
  notStarted: 0,
  heads: ['b2'],
  positions: [{ revisions: ['b2'], tenants: 2 }],
  failures: [],
  dataLoss: [],
  warnings: [],
  protected: false,
  detailsUri: `s3://bucket/runs/${RUN_ID}/`,
};

export const TENANT_SUMMARIES = {
  'all at head': summary,
  'some failed': {
    ...summary,
    status: 'failed',
    migrated: 0,
    failed: 1,
    failures: [{ tenant: 'acme', error }],
    error: { code: 'tenants_failed', message: '1 of 2 tenants failed', next: 'fix it' },
  },
};
