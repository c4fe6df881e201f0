import type { DriftedTenant } from '../../../contract/tenants';
import { code, escaped } from '../../../text/markdown';
import { annotation } from '../../../text/workflow-command';
import { addToJobSummary } from '../../answer/ci/job-summary';
import { plain, revisionNames, type Terminal } from '../../screen/terminal';
import type { TenantsAnswerDocument, TenantsDocument, TenantsFailureDocument } from './documents';

type Environment = Readonly<Record<string, string | undefined>>;

/** GitHub shows ten annotations per step. */
const MAX_ANNOTATIONS = 9;

/** Annotations and the job summary, if GitHub runs this process. */
export function onGitHub(notes: Terminal, document: TenantsDocument, environment: Environment = process.env): void {
  const { GITHUB_ACTIONS, GITHUB_STEP_SUMMARY: file } = environment;
  if (GITHUB_ACTIONS !== 'true') return;
  const { error } = document as TenantsFailureDocument;
  if (error) {
    notes.line(annotation({ level: 'error', title: error.code, message: `${plain(error.message)}\nnext: ${plain(error.next)}` }));
  }
  if (!('failures' in document)) return;
  const { failures = [], warnings = [] } = document;
  for (const { tenant, error: reason } of failures.slice(0, MAX_ANNOTATIONS)) {
    notes.line(annotation({ level: 'error', title: `${tenant}: ${reason.code}`, message: plain(reason.message) }));
  }
  const drifted = document.drift?.tenants ?? [];
  for (const { tenant, status, count, reason } of drifted.slice(0, Math.max(MAX_ANNOTATIONS - failures.length, 0))) {
    const message = status === 'unknown' ? (reason ?? '') : `${count} changed by hand`;
    notes.line(annotation({ level: 'warning', title: `${tenant}: drift`, message: plain(message) }));
  }
  for (const warning of warnings) notes.line(annotation({ level: 'warning', title: 'migration', message: plain(warning) }));
  addToJobSummary(notes, summary(document as TenantsAnswerDocument), file);
}

function driftRow({ tenant, status, reason, count, objects }: DriftedTenant): string {
  const named = objects.map(({ change, object }) => `${code(object)} ${change}`).join(', ');
  const more = count > objects.length ? ` and ${count - objects.length} more` : '';
  return `| ${code(tenant)} | ${status === 'unknown' ? `could not be compared: ${escaped(reason ?? '')}` : `${named}${more}`} |`;
}

/** The result of a run as Markdown. */
function summary({ stage, command, positions, failures, drift, detailsUri, ...counts }: TenantsAnswerDocument): string {
  const totals = (['total', 'unchanged', 'migrated', 'pending', 'ahead', 'failed', 'notStarted'] as const).map(
    (name) => `${counts[name]} ${name === 'notStarted' ? 'not started' : name}`,
  );
  const table = (head: string, rows: readonly string[]) => (rows.length > 0 ? ['', head, '| --- | --- |', ...rows] : []);
  return `${[
    `### Tenants of ${code(stage)}: ${command}`,
    '',
    totals.join(', '),
    ...table(
      '| tenants | at |',
      positions.map(({ revisions, tenants }) => `| ${tenants} | ${code(revisionNames(revisions))} |`),
    ),
    ...table(
      '| failed | why |',
      failures.map(({ tenant, error }) => `| ${code(tenant)} | ${code(error.code)}: ${escaped(error.message)} |`),
    ),
    ...table('| drift | what |', (drift?.tenants ?? []).map(driftRow)),
    '',
    `details: ${code(detailsUri)}`,
  ].join('\n')}\n\n`;
}
