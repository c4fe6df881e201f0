import type { DirectionFacts, Statement } from '../../../contract/facts';
import { timeTaken as time } from '../../../text/sizes';
import { type Finding, type ReviewedRevision, SEVERITIES } from '../../finding';
import { measuredSummary, measuredTables, measuredText } from '../measured';
import { counted } from '../phrases';
import { codeBlock } from './code';
import { findingId } from './finding';
import { modeName, strengthOf, strongest, type Timeline, timeline } from './locks';
import { html, type Markup } from './markup';
import { measuredChart } from './size';

export interface IdentifiedFinding {
  readonly finding: Finding;
  readonly fingerprint: string;
}

/** The most statements of a function that are listed; the JSON has all of them. */
const MAX_STATEMENTS = 200;

/** A collapsed revision: its time and locks as one bar. @param longest milliseconds of a full bar */
export function revisionSummary(
  revision: ReviewedRevision,
  found: readonly IdentifiedFinding[],
  marks: readonly string[],
  longest: number,
): Markup {
  const line = timeline(revision.upgrade.statements);
  const replayed = revision.notReplayed === undefined;
  const failed = revision.upgrade.outcome === 'failed' ? ['failed'] : [];
  const tags = [...marks, ...failed, ...(replayed ? [] : ['not replayed'])];
  return html`<h3><code>${revision.revision}</code> <span class="name">${revision.message}</span>${tags.map((tag) => html` <span class="tag">${tag}</span>`)}</h3>
${replayed && line.statements.length > 0 ? html`<span class="bar">${track(line, Math.max(0.02, line.milliseconds / longest))}<span class="time">${time(line.milliseconds)}</span></span>` : ''}
<span class="held">${replayed ? lockText(line) : 'only judged from source and SQL'}${findingCounts(found)}</span>`;
}

/** The details of an expanded revision. */
export function revisionDetails(revision: ReviewedRevision, found: readonly IdentifiedFinding[]): Markup {
  const links = found.map(
    ({ finding, fingerprint }) =>
      html`<li class="${finding.severity}"><a href="#${findingId(fingerprint)}">${finding.rule}</a></li>`,
  );
  return html`<p class="path">${revision.file}</p>
${revision.notReplayed === undefined ? '' : html`<p class="reason"><b>Not replayed</b> ${revision.notReplayed}</p>`}
${links.length > 0 ? html`<ul class="links">${links}</ul>` : ''}
${measuredDetails(revision)}${directionDetails('Upgrade', revision.upgrade)}${directionDetails('Downgrade', revision.downgrade)}`;
}

function measuredDetails({ measured }: ReviewedRevision): Markup | string {
  if (measured === undefined) return '';
  const tables = measuredTables(measured).map((table) => html`<li><code>${table.table}</code> ${measuredText(table)}</li>`);
  return html`<section><h4>Measured</h4><p>${measuredSummary(measured)}</p>${tables.length > 0 ? html`<ul>${tables}</ul>` : ''}${measuredChart(measured)}</section>`;
}

function directionDetails(title: string, direction: DirectionFacts): Markup {
  const { outcome, reason, failure, statements, leftTransaction, statementsLeftOut } = direction;
  const line = timeline(statements);
  const facts = [
    outcome === 'done' ? `done in ${time(line.milliseconds)}` : outcome === 'failed' ? 'failed' : 'not run',
    ...(reason === undefined ? [] : [reason]),
    counted(statements.length + statementsLeftOut, 'statement'),
    ...(leftTransaction ? ["leaves Alembic's transaction"] : []),
  ];
  const left = statementsLeftOut + Math.max(0, statements.length - MAX_STATEMENTS);
  return html`<section><h4>${title}</h4><p>${facts.join(', ')}</p>
${failure === undefined ? '' : html`<p class="reason"><b>Failed</b> ${failure.message}${failure.line ? `, line ${failure.line}` : ''}</p>`}
${lockChart(line)}
<ol class="statements">${statements
    .slice(0, MAX_STATEMENTS)
    .map(
      (statement) =>
        html`<li>${codeBlock(statement.sql)}<p>${[
          ...(statement.line > 0 ? [`line ${statement.line}`] : []),
          time(statement.milliseconds),
          statement.transaction < 0 ? 'autocommit' : `transaction ${statement.transaction + 1}`,
          ...(statement.rowCount >= 0 ? [counted(statement.rowCount, 'row')] : []),
          ...locksOf(statement),
          ...(statement.rewrites.length > 0 ? [`rewrites ${statement.rewrites.join(', ')}`] : []),
        ].join(' · ')}</p></li>`,
    )}</ol>${left > 0 ? html`<p>and ${counted(left, 'statement')} more</p>` : ''}</section>`;
}

/** Such as `SHARE on items, pk_items`. */
function locksOf({ locks }: Statement): string[] {
  const modes = [...new Set(locks.map(({ mode }) => mode))];
  return modes.map((mode) => {
    const relations = locks.filter((lock) => lock.mode === mode).map(({ relation }) => relation);
    return `${modeName(mode)} on ${relations.join(', ')}`;
  });
}

/** Each table with its locks, from the statement that took them to the end of the transaction. */
function lockChart(line: Timeline): Markup | string {
  if (line.tables.size === 0) return '';
  const rows = [...line.tables].map(([table, spans]) => {
    const mode = strongest(spans.map((span) => span.mode)) ?? '';
    const bars = spans.map(
      (span) =>
        html`<rect class="${strengthOf(span.mode)}" x="${percent(span.from)}" width="${percent(span.to - span.from)}" height="10" rx="2"><title>${modeName(span.mode)} on ${table}</title></rect>`,
    );
    return html`<tr><th scope="row">${table}</th><td class="mode ${strengthOf(mode)}">${modeName(mode)}</td><td class="span"><svg width="100%" height="10" aria-hidden="true"><rect class="empty" width="100%" height="10" rx="2"/>${bars}</svg></td></tr>`;
  });
  return html`<table class="locks"><caption>Locks, each until its transaction ends</caption><tbody>${rows}</tbody></table>`;
}

function track(line: Timeline, share: number): Markup {
  const bars = line.statements.map(({ statement, from, to, strongest: mode }) => {
    const kind = statement.transaction < 0 ? 'autocommit' : mode === undefined ? 'free' : strengthOf(mode);
    return html`<rect class="${kind}" x="${percent(from * share)}" width="${percent((to - from) * share)}" height="8"/>`;
  });
  return html`<svg class="track" width="100%" height="8" aria-hidden="true">${bars}</svg>`;
}

/** The bar's locks as text. */
function lockText({ tables, statements }: Timeline): string {
  const byMode = new Map<string, string[]>();
  for (const [table, spans] of tables) {
    const mode = strongest(spans.map((span) => span.mode)) ?? '';
    if (strengthOf(mode) !== 'none') byMode.set(mode, [...(byMode.get(mode) ?? []), table]);
  }
  const words = [...byMode].map(([mode, names]) => `${modeName(mode)} on ${names.join(', ')}`);
  if (words.length > 0) return words.join('; ');
  if (statements.length === 0) return 'no statements';
  return statements.some(({ statement }) => statement.transaction < 0) ? 'autocommit, locks not seen' : 'nothing waits';
}

function findingCounts(found: readonly IdentifiedFinding[]): Markup | string {
  const open = found.filter(({ finding }) => finding.acknowledged === undefined);
  const of = (severity: string): number => open.filter(({ finding }) => finding.severity === severity).length;
  return html`${SEVERITIES.map((severity) =>
    of(severity) > 0 ? html` <b class="${severity}">${counted(of(severity), severity)}</b>` : '',
  )}`;
}

function percent(part: number): string {
  return `${Math.round(part * 10_000) / 100}%`;
}
