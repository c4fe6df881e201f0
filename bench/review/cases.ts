import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A revision written for this benchmark, labeled with its main hazard or as safe. */
export interface Case {
  readonly name: string;
  readonly hazard: Hazard | 'safe';
  /** The reason for its label, with its source. */
  readonly reason: string;
  /** Python statements. */
  readonly upgrade: string;
  /** @default - its downgrade is not part of the case */
  readonly downgrade?: string;
}

/** The files in cases/, by what a revision does to production. */
export const HAZARDS = [
  'blocks-writes',
  'blocks-reads',
  'loses-data',
  'breaks-running-code',
  'fails',
  'downgrade',
  'long-transaction',
  'outside',
] as const;
export type Hazard = (typeof HAZARDS)[number];

const FOLDER = path.join(__dirname, 'cases');

/** What every case starts from. */
export const SCHEMA = path.join(FOLDER, 'schema.sql');

export function readCases(): readonly Case[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.md'));
  return files.flatMap((file) => casesIn(readFileSync(path.join(FOLDER, file), 'utf8'), file.slice(0, -'.md'.length) as Hazard));
}

function casesIn(markdown: string, hazard: Case['hazard']): Case[] {
  const [, ...sections] = markdown.split(/^### /m);
  return sections.map((section) => {
    const blocks = new Map([...section.matchAll(/^```python ?(\w*)\n(.*?)\n```$/gms)].map(([, name, code]) => [name, code]));
    const [name = '', ...rest] = section.slice(0, section.indexOf('\n```')).split('\n');
    const upgrade = blocks.get('');
    if (upgrade === undefined) throw new Error(`${hazard}: ${name}: has no upgrade`);
    return { name, hazard, reason: rest.join('\n').trim(), upgrade, downgrade: blocks.get('downgrade') };
  });
}
