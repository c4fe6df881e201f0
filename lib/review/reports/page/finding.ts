import type { Finding } from '../../finding';
import { acceptance, explanationOf } from '../phrases';
import { codeFigure } from './code';
import { html, type Markup } from './markup';
import { sizeChart } from './size';

/** Ids in the page, for links. */
export const findingId = (fingerprint: string): string => `f-${fingerprint}`;
export const revisionId = (revision: string): string => `r-${revision.replace(/[^\w.-]/g, '_')}`;

/** One finding with all its details. */
export function findingArticle(finding: Finding, fingerprint: string, name: string | undefined): Markup {
  const { rule, severity, revision, file, line, direction, message, seen, statement, instead, acknowledged } = finding;
  const id = findingId(fingerprint);
  const state = acknowledged === undefined ? 'open' : 'acknowledged';
  return html`
<article class="finding ${severity} ${state}" id="${id}" aria-labelledby="${id}-h" data-severity="${severity}" data-rule="${rule}" data-revision="${revision ?? ''}" data-state="${state}">
<h3 id="${id}-h"><span class="severity">${severity}</span> <span class="rule">${rule}</span> <a class="anchor" href="#${id}" aria-label="Link to this finding">#</a></h3>
<p class="message">${message}</p>
${finding.size === undefined ? '' : sizeChart(finding.size)}<p class="place">${revision === undefined ? '' : html`<a href="#${revisionId(revision)}"><code>${revision}</code> ${name}</a><br>`}<span class="path">${file}:${line}</span>${direction === undefined ? '' : `, ${direction}`}${seen === 'replay' ? ', seen in the replay' : ', read from the source'}</p>
${acknowledged === undefined ? '' : html`<p class="reason"><b>Acknowledged</b> ${acknowledged}</p>`}
<div class="codes">${statement === undefined ? '' : codeFigure('Statement', statement)}${instead === undefined ? '' : codeFigure('Instead', instead)}</div>
<p class="more">${acknowledged === undefined ? howToAccept(finding) : ''}More: <code>${explanationOf(rule)}</code></p>
</article>`;
}

function howToAccept(finding: Finding): Markup {
  const [where, what] = acceptance(finding);
  return html`If this is intended, ${where}: <code>${what}</code><br>`;
}
