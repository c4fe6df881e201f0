import type { CommandLine, Options } from '../../options';
import {
  FAIL_OPTIONS,
  type FailArguments,
  oneOf,
  REPLAY_OPTIONS,
  type ReplayArguments,
  readFail,
  readReplay,
} from '../replay/options';

export const FORMATS = ['terminal', 'json', 'markdown', 'sarif', 'github', 'gitlab', 'html'] as const;
export type Format = (typeof FORMATS)[number];
export type ReportFormat = Exclude<Format, 'terminal'>;

/** A report to write to a file. */
export interface ReportFile {
  readonly format: ReportFormat;
  readonly file: string;
}

export interface ReviewArguments extends ReplayArguments, FailArguments {
  /** Ids of revisions, prefixes of ids, or their files. */
  readonly named: readonly string[];
  readonly since?: string;
  readonly all: boolean;
  readonly format: Format;
  readonly reports: readonly ReportFile[];
  /** Whether to fix revisions that are not on the default branch yet. */
  readonly fix: boolean;
  /** Whether to only show what `fix` would write. */
  readonly dryRun: boolean;
  /** Whether earlier revisions may be restored instead of run. */
  readonly cache: boolean;
  /** Whether to run the revisions on filled tables. */
  readonly measure: boolean;
}

export const OPTIONS = {
  ...REPLAY_OPTIONS,
  ...FAIL_OPTIONS,
  since: { type: 'string' },
  all: { type: 'boolean' },
  format: { type: 'string' },
  report: { type: 'string', multiple: true },
  fix: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  'no-cache': { type: 'boolean' },
  measure: { type: 'boolean' },
} as const satisfies Options;

export function readReview(line: CommandLine<keyof typeof OPTIONS | 'json'>, problems: string[]): ReviewArguments {
  const { named } = line;
  const json = line.flag('json');
  const format = oneOf(line, 'format', FORMATS, problems);
  const fail = readFail(line, problems);
  if (json && line.text('format') !== undefined) problems.push('--json and --format exclude each other: use one');
  if ([line.flag('all'), line.text('since') !== undefined, named.length > 0].filter(Boolean).length > 1) {
    problems.push('revisions, --since and --all exclude each other: use one');
  }
  if (line.flag('dry-run') && !line.flag('fix')) problems.push('--dry-run shows what --fix would write: use both');
  if (line.flag('measure') && line.flag('fix')) problems.push('--measure and --fix exclude each other: fix first, then measure');
  return {
    named,
    since: line.text('since'),
    all: line.flag('all'),
    format: json ? 'json' : (format ?? 'terminal'),
    reports: line.texts('report').flatMap((value) => reportFile(value, problems)),
    fix: line.flag('fix'),
    dryRun: line.flag('dry-run'),
    cache: !line.flag('no-cache'),
    measure: line.flag('measure'),
    ...fail,
    ...readReplay(line, problems),
  };
}

/** `sarif=review.sarif` */
function reportFile(value: string, problems: string[]): ReportFile[] {
  const [, name, file] = /^(\w+)=(.+)$/.exec(value) ?? [];
  const formats = FORMATS.filter((format) => format !== 'terminal');
  const format = formats.find((known) => known === name);
  if (format && file) return [{ format, file }];
  problems.push(`--report must be a format and a file, such as sarif=review.sarif; the formats are ${formats.join(', ')}`);
  return [];
}
