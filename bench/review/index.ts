/*
 * npm run bench:review
 *
 * Scores this review and others on the cases in cases/: does a finding name the hazard, and do safe revisions pass? Writes
 * bench/review/results.json and the tables of docs/review-benchmark.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory, withFolder } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';
import { withPart } from '../report/write-docs';
import { TestBed } from '../test-bed/test-bed';
import { readCases } from './cases';
import { missList, type ReviewResults, scoreTable } from './page';
import { writeCase } from './project';
import { type Judged, judged } from './score';
import { tools } from './tools';

export const RESULTS = path.join(__dirname, 'results.json');
export const PAGE = path.join(projectDirectory, 'docs/review-benchmark.md');

/** The page with the results in it. */
export function pageWith(results: ReviewResults, page: string): string {
  return withPart(withPart(page, 'scores', scoreTable(results)), 'misses', missList(results));
}

async function main(): Promise<void> {
  await mustRun('npm', ['run', 'build'], { env: process.env, cwd: projectDirectory });
  const cases = readCases();
  const results = await withFolder(async (folder): Promise<ReviewResults> => {
    const testBed = await TestBed.open(folder);
    const scored = (await tools(testBed)).map((tool) => ({ tool, judged: [] as Judged[] }));
    for (const one of cases) {
      const project = testBed.newPath('case');
      writeCase(project, one);
      for (const { tool, judged: list } of scored) list.push(judged(one, await tool.judge(project, one), tool.hazards));
    }
    const date = new Date().toISOString().slice(0, 10);
    return { date, tools: scored.map(({ tool: { name, version }, judged }) => ({ name, version, judged })) };
  });
  writeFileSync(RESULTS, JSON.stringify(results, undefined, 2));
  await mustRun('npx', ['biome', 'format', '--write', RESULTS], { env: process.env, cwd: projectDirectory });
  writeFileSync(PAGE, pageWith(results, readFileSync(PAGE, 'utf8')));
  console.log(`${scoreTable(results)}\n\n${missList(results)}`);
}

if (require.main === module) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
