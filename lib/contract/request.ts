import { choiceOf, listOf, numberFrom, problemsOf, type Rule, type Shape, text, yesOrNo } from './checks/rules';

/** The commands of a request. */
export const COMMANDS = ['upgrade', 'plan', 'current', 'history', 'statistics', 'drift', 'downgrade', 'stamp'] as const;
export type Command = (typeof COMMANDS)[number];

/** Commands that change the database. */
export const CHANGING_COMMANDS: readonly string[] = ['upgrade', 'downgrade', 'stamp'] satisfies Command[];

/** Whether a command changes the database; without one, a request upgrades. */
export function changesDatabase(command: string = 'upgrade'): boolean {
  return CHANGING_COMMANDS.includes(command);
}

/** Commands that the construct's props must allow. */
export const RESTRICTED_COMMANDS = ['downgrade', 'stamp'] as const;
export type RestrictedCommand = (typeof RESTRICTED_COMMANDS)[number];

/**
 * Payload of an invoke. Every key is optional: `{}` and no payload at all upgrade to head.
 * Unknown keys are errors, so that an old function never ignores the wishes of a new caller.
 */
export interface MigrateRequest {
  /** @default 'upgrade' */
  readonly command?: Command;
  /**
   * Target revision, in Alembic's notation (`head`, `heads`, `base`, an id, `+1`, `-1`, `label@head`).
   * `downgrade` and `stamp` require it; `upgrade` and `plan` default to `head`; `current`, `history`, `statistics` and `drift` take none.
   */
  readonly revision?: string;
  /**
   * Seconds after which an `upgrade` or `downgrade` starts no more revisions and answers `partial`. 0 applies one revision.
   * @default - until shortly before the function's deadline
   */
  readonly sliceSeconds?: number;
  /**
   * What else an `upgrade` may do. `drop_invalid_indexes` drops invalid indexes that block a pending revision. `drift` runs although the schema was changed by hand,
   * on a stage that refuses this; with the command `drift`, it accepts today's schema.
   * @default - nothing
   */
  readonly allow?: readonly Allowance[];
  /**
   * Who asks, for the run history: `deploy <stack>`, `ci <run>`, `person <name>`. At most 200 printable characters.
   * @default 'invoke'
   */
  readonly requestedBy?: string;
  /**
   * UUID of the run that this slice belongs to, from the first slice's answer.
   * @default - a new run
   */
  readonly runId?: string;
  /**
   * Whether a `plan` shows the SQL of the pending revisions.
   * @default false
   */
  readonly sql?: boolean;
  /**
   * Whether an `upgrade` or `downgrade` makes an RDS snapshot first, even if no revision destroys data.
   * @default - the construct's `snapshot` decides
   */
  readonly snapshot?: boolean;
  /**
   * For `upgrade` and `plan`: where all pending revisions run.
   *
   * @default - in the function, except those with the comment `# cdk-alembic: run in container`
   */
  readonly in?: Compute;
}

/** Where a request can run its revisions. */
export const COMPUTES = ['container'] as const;
export type Compute = (typeof COMPUTES)[number];

/** What a request can allow. */
export const ALLOWANCES = ['drop_invalid_indexes', 'drift'] as const;
export type Allowance = (typeof ALLOWANCES)[number];

/** Lambda runs a call for at most 900 s. */
export const MAX_SLICE_SECONDS = 900;

/** An id or the start of one, a symbol, a branch label. */
const NAME = '[A-Za-z0-9_][A-Za-z0-9_.-]*';

/** A revision as Alembic accepts it: a name, a step from it or from the database's revision, and the branch that is meant. */
const REVISION_PATTERN = `(?:${NAME}@)?(?:${NAME}(?:[+-][0-9]{1,4})?|[+-][0-9]{1,4})`;

export const RUN_ID: Rule = text({
  pattern: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  wrong: '{key} must be a UUID in lower case',
});

export const REQUESTED_BY: Rule = text({
  pattern: '[\\x20-\\x7e]{1,200}',
  wrong: '{key} must be a text of at most 200 printable ASCII characters',
});

export const ALLOW: Rule = listOf(choiceOf(ALLOWANCES), `{key} must be a list of ${ALLOWANCES.join(', ')}`, {
  takenBy: ['upgrade', 'drift'],
});

export const SLICE_SECONDS: Rule = numberFrom(0, MAX_SLICE_SECONDS, { takenBy: ['upgrade', 'downgrade'] });

/** The rules of a {@link MigrateRequest}. */
export const REQUEST: Shape<MigrateRequest> = {
  name: 'the request',
  by: 'command',
  keys: {
    command: choiceOf(COMMANDS, { default: 'upgrade', wrong: `unknown command {value}: use ${COMMANDS.join(', ')}` }),
    revision: text({
      pattern: REVISION_PATTERN,
      maxLength: 128,
      takenBy: ['upgrade', 'plan', 'downgrade', 'stamp'],
      neededBy: ['downgrade', 'stamp'],
      called: 'a revision',
      wrong: '{value} is not a revision: use an id, head, base or a step such as +1 or -1',
    }),
    sliceSeconds: SLICE_SECONDS,
    allow: ALLOW,
    requestedBy: REQUESTED_BY,
    runId: RUN_ID,
    sql: yesOrNo({ takenBy: ['plan'] }),
    snapshot: yesOrNo({ takenBy: ['upgrade', 'downgrade'] }),
    in: choiceOf(COMPUTES, { takenBy: ['upgrade', 'plan'] }),
  },
};

/** All problems of a request; empty: it is valid. */
export function requestProblems(request: unknown): string[] {
  return problemsOf(REQUEST, request);
}
