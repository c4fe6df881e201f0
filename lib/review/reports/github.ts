import { plain, plainLines } from '../../text/plain';
import { annotation } from '../../text/workflow-command';
import { type Finding, type Review, SEVERITIES } from '../finding';
import { acceptance, counted, explanationOf } from './phrases';
import { repositoryPath } from './repository-path';

/** GitHub shows this many annotations per level and step, and drops the others silently. */
const MAX_ANNOTATIONS = 10;

/**
 * Unacknowledged findings as GitHub annotations, one per line.
 *
 * @param folder the project's folder from the repository's root
 */
export function githubReport({ findings }: Review, folder: string): string {
  const open = findings.filter(({ acknowledged }) => acknowledged === undefined);
  const shown = SEVERITIES.flatMap((severity) =>
    open.filter((finding) => finding.severity === severity).slice(0, MAX_ANNOTATIONS),
  );
  const lines = shown.map((finding) => {
    const { severity, rule, revision, file, line } = finding;
    const title = revision === undefined ? rule : `${rule}: ${plain(revision)}`;
    return annotation({
      level: severity === 'note' ? 'notice' : severity,
      file: repositoryPath(folder, file),
      line,
      title,
      message: textOf(finding),
    });
  });
  const left = open.length - shown.length;
  if (left > 0) {
    const message = `${counted(left, 'more finding')}, which GitHub does not show here; the log and the other reports have all of them`;
    lines.push(annotation({ level: 'notice', title: 'safe-alembic review', message }));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function textOf(finding: Finding): string {
  const { rule, message, instead } = finding;
  const [where, what] = acceptance(finding);
  const safe = instead === undefined ? [] : ['', 'instead:', ...plainLines(instead)];
  return [plain(message), ...safe, '', `if this is intended, ${where}: ${what}`, `more: ${explanationOf(rule)}`].join('\n');
}
