import { installation } from '../../local/installation';
import type { Finding, Review } from '../finding';

/** The comment that acknowledges a finding. */
export function acknowledgement(rule: string): string {
  return `# cdk-alembic: allow ${rule}: <reason>`;
}

/** How to accept a finding: where, and what to write there. A finding without a revision can only be accepted in the settings. */
export function acceptance({ rule, revision }: Pick<Finding, 'rule' | 'revision'>): readonly [where: string, what: string] {
  if (revision !== undefined) return ['write into that file', acknowledgement(rule)];
  return ["write into the project's settings", `"rules": { "${rule}": "off" }`];
}

/** The command that explains a rule, without network. */
export function explanationOf(rule: string): string {
  return `${installation().command} explain ${rule}`;
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** The result, such as `2 errors, 1 warning, 1 acknowledged`. */
export function outcomeOf({ notChecked, summary: { errors, warnings, notes = 0, acknowledged } }: Review): string {
  const found = [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
    ...(notes > 0 ? [counted(notes, 'note')] : []),
    ...(acknowledged > 0 ? [`${acknowledged} acknowledged`] : []),
  ];
  return [found.join(', ') || 'nothing found', ...(notChecked ? [notChecked.message] : [])].join('; ');
}

/** What was done, such as `11 revisions reviewed in 3.4 s, 10 of them replayed on PostgreSQL 18.4`. */
export function scopeOf({ postgres, squawk, summary: { revisions, replayed, milliseconds } }: Review): string {
  const time = milliseconds < 1_000 ? `${milliseconds} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
  const share = replayed === revisions ? 'replayed' : `${replayed === 0 ? 'none' : replayed} of them replayed`;
  const where = postgres !== undefined && replayed > 0 ? ` on PostgreSQL ${postgres}` : '';
  return `${counted(revisions, 'revision')} reviewed in ${time}, ${share}${where}${squawk ? '' : ', without squawk, which is not installed here'}`;
}
