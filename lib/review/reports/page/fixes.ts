import type { Finding, Fixes, Review } from '../../finding';
import { counted } from '../phrases';
import { diffFigure } from './code';
import { html, type Markup } from './markup';

/** The diffs that `--fix` wrote, or would write; a change that takes several transactions is a series of files. */
export function fixesSection({ fixes, postgres }: Review): Markup | string {
  if (fixes === undefined) return '';
  const { written, fixed, notFixed, files, hookFailure } = fixes;
  return html`<section id="fixes" aria-labelledby="fixes-h"><h2 id="fixes-h">${written ? 'The safe form' : 'The safe form, not written yet'}</h2>
${fixed.length === 0 ? html`<p>Nothing could be rewritten.</p>` : html`<p>${counted(fixed.length, 'finding')} ${written ? 'fixed' : 'can be fixed'} in ${counted(files.length, 'file')}. Proved on PostgreSQL ${postgres}: same schema, up, down and up again, rows kept.</p>`}
<ul>${fixed.map((finding) => html`<li>${place(finding)}</li>`)}</ul>
${files.map(({ file, diff, isNew }) => diffFigure(`${file}, ${isNew ? 'new' : 'changed'}`, diff))}
${reasons(notFixed).map(([reason, findings]) => html`<p class="reason"><b>Not fixed</b> ${reason}</p><ul>${findings.map((finding) => html`<li>${place(finding)}</li>`)}</ul>`)}
${hookFailure === undefined ? '' : html`<p class="reason"><b>A post_write_hook failed</b> ${hookFailure}</p>`}
</section>`;
}

function place({ rule, file, line }: Finding): Markup {
  return html`<b>${rule}</b> <span class="path muted">${file}:${line}</span>`;
}

/** Findings that were not fixed, by reason. */
function reasons(notFixed: Fixes['notFixed']): [string, Finding[]][] {
  const grouped = new Map<string, Finding[]>();
  for (const { finding, reason } of notFixed) grouped.set(reason, [...(grouped.get(reason) ?? []), finding]);
  return [...grouped];
}
