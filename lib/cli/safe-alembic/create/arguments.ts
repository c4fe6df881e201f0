import type { RevisionPlacement } from '../../../contract/facts';
import type { CommandLine, Options } from '../../options';
import { FAIL_OPTIONS, type FailArguments, REPLAY_OPTIONS, type ReplayArguments, readFail, readReplay } from '../replay/options';

export const OPTIONS = {
  ...REPLAY_OPTIONS,
  ...FAIL_OPTIONS,
  message: { type: 'string', short: 'm' },
  head: { type: 'string' },
  splice: { type: 'boolean' },
  'branch-label': { type: 'string' },
  'version-path': { type: 'string' },
  'rev-id': { type: 'string' },
  'depends-on': { type: 'string', multiple: true },
  empty: { type: 'boolean' },
  backfill: { type: 'string' },
  'as-is': { type: 'boolean' },
  'with-drift': { type: 'boolean' },
  rename: { type: 'string', multiple: true },
  'no-rename': { type: 'boolean' },
  'keep-dropped': { type: 'string' },
} as const satisfies Options;

export interface CreateArguments extends ReplayArguments, FailArguments {
  /** What the revision does. */
  readonly message: string;
  /** `versionPath` is as given. */
  readonly placement: RevisionPlacement;
  readonly empty: boolean;
  /** What to fill, such as `users.full_name = name`. */
  readonly backfill?: string;
  /** Whether to write the revision as Alembic would, without safe forms. */
  readonly asIs: boolean;
  /** Whether to write the differences that the default branch has already, too. */
  readonly withDrift: boolean;
  /** Old and new names of renamed columns and tables. */
  readonly renames: readonly (readonly [string, string])[];
  /** Whether to drop and add columns or tables that look like a rename. */
  readonly noRename: boolean;
  /** How many days dropped columns and tables are kept under another name. Absent: they are dropped. */
  readonly keepDropped?: number;
}

export function readCreate(line: CommandLine<keyof typeof OPTIONS>, problems: string[]): CreateArguments {
  const given = line.text('message');
  const [message, ...more] = given === undefined ? line.named : [given, ...line.named];
  if (message === undefined) problems.push('the message is missing: safe-alembic create "Add notifications table"');
  if (more.length > 0) problems.push('the message is more than one argument: put it in quotes');
  const renames = line.texts('rename').flatMap((value) => renameOf(value, problems));
  const keepDropped = daysOf(line.text('keep-dropped'), problems);
  const aboutModels = renames.length > 0 || line.flag('no-rename') || keepDropped !== undefined;
  if ((line.flag('empty') || line.text('backfill') !== undefined) && aboutModels) {
    problems.push('--empty and --backfill compare no models: leave out --rename, --no-rename and --keep-dropped');
  }
  return {
    message: message ?? '',
    placement: {
      head: line.text('head'),
      splice: line.flag('splice'),
      branchLabel: line.text('branch-label'),
      versionPath: line.text('version-path'),
      revId: line.text('rev-id'),
      dependsOn: line.texts('depends-on'),
    },
    empty: line.flag('empty'),
    backfill: line.text('backfill'),
    asIs: line.flag('as-is'),
    withDrift: line.flag('with-drift'),
    renames,
    noRename: line.flag('no-rename'),
    keepDropped,
    ...readFail(line, problems),
    ...readReplay(line, problems),
  };
}

const MOST_DAYS = 3650;

function daysOf(value: string | undefined, problems: string[]): number | undefined {
  if (value === undefined) return undefined;
  const days = /^\d+$/.test(value) ? Number(value) : 0;
  if (days >= 1 && days <= MOST_DAYS) return days;
  problems.push(`--keep-dropped must be a number of days from 1 to ${MOST_DAYS}, such as 30`);
  return undefined;
}

/** `users.name=users.full_name` */
function renameOf(value: string, problems: string[]): [string, string][] {
  const [, from, to] = /^([^=]+)=([^=]+)$/.exec(value) ?? [];
  if (from && to && from.split('.').length === to.split('.').length) return [[from, to]];
  problems.push('--rename must be the old and the new name, such as users.name=users.full_name, or users=people for a table');
  return [];
}
