import { HAZARDS } from './cases';
import type { Judged } from './score';

/** What bench/review/results.json holds. */
export interface ReviewResults {
  /** A day. */
  readonly date: string;
  readonly tools: readonly { readonly name: string; readonly version: string; readonly judged: readonly Judged[] }[];
}

const TITLES: Readonly<Record<Judged['hazard'], string>> = {
  'blocks-writes': 'blocks writes',
  'blocks-reads': 'blocks reads',
  'loses-data': 'loses data',
  'breaks-running-code': 'breaks running code',
  fails: 'fails',
  downgrade: 'cannot go back',
  'long-transaction': 'holds a transaction open',
  outside: 'depends on what changes',
  safe: 'safe',
};

/** The table: strict, and loose in parentheses. */
export function scoreTable({ date, tools }: ReviewResults): string {
  const row = (title: string, cells: readonly string[]) => `| ${[title, ...cells].join(' | ')} |`;
  const score = (all: readonly Judged[]) => {
    const [strict, loose] = [all.filter((one) => one.strict).length, all.filter((one) => one.loose).length];
    return `${strict} (${loose}) of ${all.length}`;
  };
  const rows = HAZARDS.map((hazard) =>
    row(
      TITLES[hazard],
      tools.map(({ judged }) => score(judged.filter((one) => one.hazard === hazard))),
    ),
  );
  const dangerous = tools.map(({ judged }) => score(judged.filter(({ hazard }) => hazard !== 'safe')));
  const safe = tools.map(({ judged }) => score(judged.filter(({ hazard }) => hazard === 'safe')));
  return [
    row(
      'hazard',
      tools.map(({ name, version }) => `${name} ${version}`),
    ),
    row(
      '---',
      tools.map(() => '---'),
    ),
    ...rows,
    row('**all dangerous: hazard named (anything reported)**', dangerous),
    row('**safe: passes (nothing reported)**', safe),
    '',
    `\`npm run bench:review\`, ${date}.`,
  ].join('\n');
}

/** What this review overlooks and what it wrongly reports. */
export function missList({ tools: [ours] }: ReviewResults): string {
  const missed = ours?.judged.filter(({ strict }) => !strict) ?? [];
  if (missed.length === 0) return 'None of these cases.';
  return missed
    .map(({ name, hazard, rules }) => {
      const said = rules.length ? `reported: ${rules.map((rule) => `\`${rule}\``).join(', ')}` : 'nothing reported';
      return `- ${TITLES[hazard]}: ${name} (${said})`;
    })
    .join('\n');
}
