import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMeasured, type Results } from '../results';
import { growthPlot } from './growth-plot';
import { fullTable, goalTable } from './markdown';
import { plot } from './plot';
import { scaleTable } from './scale';

/** What README shows; docs/performance.md has all rows. */
const README_ROWS = ['nothing-to-do-cold', 'upgrade-1000', 'tenants-pending', 'zip-size', 'review-faults'];

/** Brings bench/results.json into README.md and docs/. Fails when a row is missing or was not measured. */
export function writeDocs(root: string, names: readonly string[]): void {
  const results = wholeResults(JSON.parse(readFileSync(path.join(root, 'bench/results.json'), 'utf8')), names);
  const few = results.rows.filter(({ name }) => README_ROWS.includes(name));
  replace(path.join(root, 'README.md'), 'bench', goalTable({ ...results, rows: few }));
  const page = path.join(root, 'docs/performance.md');
  replace(page, 'bench', goalTable(results));
  replace(page, 'bench-runs', fullTable(results.rows));
  replace(path.join(root, 'docs/scale.md'), 'scale', scaleTable(results.rows));
  writeFileSync(path.join(root, 'docs/growth.svg'), growthPlot(results.rows));
  writeFileSync(
    path.join(root, 'docs/performance.svg'),
    plot(results.rows.filter(({ unit }) => unit === 'ms' || unit === 'bytes')),
  );
}

/** The results, if every row is there and none has failed. */
export function wholeResults({ rows, ...about }: Results, names: readonly string[]) {
  const measured = rows.filter(isMeasured);
  const missing = names.filter((name) => !measured.some((row) => row.name === name));
  if (missing.length) throw new Error(`the results lack ${missing.join(', ')}: measure all rows and write the results again`);
  return { ...about, rows: measured };
}

function replace(file: string, name: string, content: string): void {
  writeFileSync(file, withPart(readFileSync(file, 'utf8'), name, content));
}

/** A page with new content between its comments `name` and `/name`. */
export function withPart(page: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no part from ${start} to ${end}`);
  return `${page.slice(0, from + start.length)}\n${content}\n${page.slice(to)}`;
}
