import { code, codeBlock, escaped } from '../../text/markdown';
import type { Finding, Review } from '../finding';
import { measuredBasis, measuredRevisions, measuredSummary, measuredTables, measuredText } from './measured';
import { acceptance, explanationOf, outcomeOf, scopeOf } from './phrases';

/** GitHub refuses a comment of more than 65,536 characters, GitLab one of more than a million. */
const MAX_CHARACTERS = { findings: 42_000, measured: 6_000, acknowledged: 7_000, notReplayed: 7_000 };

/** The maximum characters of a text: a statement can be as long as a file. */
const MAX_SHOWN = { message: 600, code: 1_500 };

/** Hidden in the comment, so that the next review finds and updates it. */
export const MARKER = '<!-- cdk-alembic review -->';

/** The review as the comment of a pull request. */
export function markdownReport(review: Review): string {
  const open = review.findings.filter(({ acknowledged }) => acknowledged === undefined);
  const acknowledged = review.findings.filter((finding) => finding.acknowledged !== undefined);
  const notReplayed = review.revisions.filter((revision) => revision.notReplayed !== undefined);
  const measured = measuredRevisions(review);
  const parts = [
    MARKER,
    `### ${review.failed ? '❌' : '✅'} Migrations: ${outcomeOf(review)}`,
    `${scopeOf(review)}.`,
    ...fitting(open.map(findingBlock), MAX_CHARACTERS.findings, '\n\n'),
    ...folded(
      `${measured.length} measured`,
      measured.flatMap(({ revision, measured: found }) => [
        `- ${code(revision)}: ${escaped(short(measuredSummary(found), MAX_SHOWN.message))}`,
        ...measuredTables(found).map(
          (table) => `  - ${code(table.table)}: ${escaped(short(measuredText(table), MAX_SHOWN.message))}`,
        ),
      ]),
      MAX_CHARACTERS.measured,
      measuredBasis(review),
    ),
    ...folded(
      `${acknowledged.length} acknowledged`,
      acknowledged.map((finding) => `- ${head(finding)}: ${escaped(short(finding.acknowledged ?? '', MAX_SHOWN.message))}`),
      MAX_CHARACTERS.acknowledged,
    ),
    ...folded(
      `${notReplayed.length} judged from source and SQL alone`,
      notReplayed.map(({ revision, notReplayed: why }) => `- ${code(revision)}: ${escaped(short(why ?? '', MAX_SHOWN.message))}`),
      MAX_CHARACTERS.notReplayed,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

const SIGNS = { error: '❌', warning: '⚠️', note: 'ℹ️' };

function findingBlock(finding: Finding): string {
  const { severity, rule, file, line, message, direction, statement, instead, seen } = finding;
  const place = [
    code(`${file}:${line}`),
    ...(direction ? [direction] : []),
    seen === 'replay' ? 'seen in the replay' : 'read from the source',
  ];
  const [where, what] = acceptance(finding);
  return [
    `<details><summary>${SIGNS[severity]} ${head(finding)}: ${escaped(short(message, MAX_SHOWN.message))}</summary>`,
    place.join(', '),
    ...(statement === undefined ? [] : [codeBlock('sql', short(statement, MAX_SHOWN.code))]),
    ...(instead === undefined ? [] : ['Instead:', codeBlock('python', short(instead, MAX_SHOWN.code))]),
    `If this is intended, ${where}: ${code(what)}`,
    `More: ${code(explanationOf(rule))}`,
    '</details>',
  ].join('\n\n');
}

function head({ rule, revision }: Finding): string {
  return `<b>${escaped(rule)}</b>${revision === undefined ? '' : ` in ${code(revision)}`}`;
}

function folded(title: string, lines: readonly string[], room: number, above?: string): string[] {
  if (lines.length === 0) return [];
  return [
    `<details><summary>${title}</summary>`,
    ...(above === undefined ? [] : [escaped(above)]),
    ...fitting(lines, room, '\n'),
    '</details>',
  ];
}

/** As many parts as fit, and the number of the others. */
function fitting(parts: readonly string[], room: number, separator: string): string[] {
  if (parts.length === 0) return [];
  const kept: string[] = [];
  let used = 0;
  for (const part of parts) {
    used += part.length + separator.length;
    if (used > room) break;
    kept.push(part);
  }
  const left = parts.length - kept.length;
  return [kept.join(separator), ...(left > 0 ? [`and ${left} more, which do not fit here`] : [])];
}

function short(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest).trimEnd()}…`;
}
