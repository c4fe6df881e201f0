import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { packagePath } from '../../package-root';
import type { Review } from '../finding';
import { withFingerprints } from './fingerprint';
import { measuredBasis, measuredRevisions } from './measured';
import { INDENTATIONS } from './page/code';
import { filters } from './page/filters';
import { findingArticle, revisionId } from './page/finding';
import { fixesSection } from './page/fixes';
import { GraphDrawing, type GraphRow, graphRows } from './page/lanes';
import { html, Markup } from './page/markup';
import { type IdentifiedFinding, revisionDetails, revisionSummary } from './page/revision';
import { capitalized, counted, outcomeOf, scopeOf } from './phrases';

/** The review as one self-contained page: no network, and only its own script and style. */
export function htmlReport(review: Review): string {
  const style = asset('page.css') + INDENTATIONS;
  const script = asset('page.js');
  const policy = `default-src 'none'; style-src '${hash(style)}'; script-src '${hash(script)}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Migrations: ${outcomeOf(review)}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header>
<p class="kicker">Review of migrations</p>
<h1 class="${review.failed ? 'error' : 'passed'}">${capitalized(outcomeOf(review))}</h1>
<p>${scopeOf(review)}. <span class="muted">cdk-alembic ${review.version}</span></p>
${review.graph.problem === undefined ? '' : html`<p class="reason"><b>The graph can't be loaded</b> ${review.graph.problem}</p>`}
<nav aria-label="Parts of this page">${review.fixes === undefined ? '' : html`<a href="#fixes">The safe form</a> `}<a href="#findings">Findings</a> <a href="#revisions">Revisions and locks</a></nav>
</header>
<main>
${fixesSection(review)}
${findingsSection(review)}
${revisionsSection(review)}
</main>
<script>${new Markup(script)}</script>
</body>
</html>
`;
  return page.text;
}

function findingsSection(review: Review): Markup {
  const names = new Map(review.graph.revisions.map(({ revision, message }) => [revision, message]));
  const articles = withFingerprints(review.findings).map(({ finding, fingerprint }) =>
    findingArticle(finding, fingerprint, finding.revision === undefined ? undefined : names.get(finding.revision)),
  );
  return html`<section id="findings" aria-labelledby="findings-h"><h2 id="findings-h">Findings</h2>
${articles.length === 0 ? html`<p>No findings.</p>` : filters(review.findings)}
${articles}
</section>`;
}

/** The reviewed revisions in the graph, and their parents. */
function revisionsSection(review: Review): Markup {
  const reviewed = new Map(review.revisions.map((revision) => [revision.revision, revision]));
  const parents = new Set(review.revisions.flatMap(({ downRevisions }) => downRevisions));
  const shown = review.graph.revisions.filter(({ revision }) => reviewed.has(revision) || parents.has(revision));
  const left = review.graph.revisions.length - shown.length;
  const rows = graphRows(shown);
  const drawing = new GraphDrawing(rows);
  const found = withFingerprints(review.findings);
  const longest = Math.max(
    1,
    ...review.revisions.map(({ upgrade }) => upgrade.statements.reduce((sum, one) => sum + one.milliseconds, 0)),
  );
  const items = shown.map((revision, index) => {
    const marks = [
      ...(review.graph.heads.includes(revision.revision) ? ['head'] : []),
      ...(revision.downRevisions.length > 1 ? ['merge'] : []),
      ...revision.branchLabels,
      ...(revision.dependsOn.length > 0 ? [`depends on ${revision.dependsOn.join(', ')}`] : []),
    ];
    const own = found.filter(({ finding }) => finding.revision === revision.revision);
    const facts = reviewed.get(revision.revision);
    const body = facts
      ? html`<details><summary>${revisionSummary(facts, own, marks, longest)}</summary><div class="opened">${revisionDetails(facts, own)}</div></details>`
      : html`<div class="unreviewed"><h3><code>${revision.revision}</code> <span class="name">${revision.message}</span></h3><span class="held">not reviewed</span></div>`;
    return html`<li id="${revisionId(revision.revision)}">${drawing.row(rows[index] as GraphRow, facts ? markerKind(own) : 'beside')}${body}</li>`;
  });
  return html`<section id="revisions" aria-labelledby="revisions-h"><h2 id="revisions-h">Revisions and locks</h2>
<p>In the order in which they are applied. A bar's length is the upgrade's time on the scratch database; its color is the strongest lock on an existing object.</p>
${measuredRevisions(review).length > 0 ? html`<p>Figures under "Measured": ${measuredBasis(review)}.</p>` : ''}
<ul class="legend"><li class="all">reads and writes wait</li><li class="writers">writes wait</li><li class="none">nothing waits</li><li class="autocommit">autocommit, locks not seen</li></ul>
${left > 0 ? html`<p class="muted">${counted(left, 'revision')} of the project ${left === 1 ? 'was' : 'were'} not reviewed and ${left === 1 ? 'is' : 'are'} not shown.</p>` : ''}
<ol class="graph">${items}</ol>
</section>`;
}

function markerKind(found: readonly IdentifiedFinding[]): 'error' | 'warning' | 'reviewed' {
  const open = found.filter(({ finding }) => finding.acknowledged === undefined);
  if (open.some(({ finding }) => finding.severity === 'error')) return 'error';
  return open.some(({ finding }) => finding.severity === 'warning') ? 'warning' : 'reviewed';
}

function asset(name: string): string {
  return readFileSync(packagePath('lib/review/reports/page', name), 'utf8');
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
