/*
 * npm run bench
 *
 * Measures what README claims about speed: whole processes, side by side, on this machine alone. If a run fails or
 * does not do its work, its row has no ratio and the exit code is 1. A missed goal is a normal result.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory, withFolder, withLocalAws } from '../examples/local-aws';
import { mustRun } from '../lib/local/processes/run';
import { parseArguments, USAGE } from './arguments';
import { machine } from './machine';
import { measure } from './measure';
import { merge } from './merge';
import { toJson } from './report/json';
import { progress } from './report/progress';
import { terminalTable } from './report/terminal-table';
import { writeDocs } from './report/write-docs';
import { isMeasured, type Machine, type Results, type RowResult } from './results';
import type { Row } from './row';
import { ON_DEMAND, ROWS } from './rows';
import { announce, TestBed } from './test-bed/test-bed';

async function bench(rows: readonly Row[], argv: readonly string[]): Promise<Results> {
  // The command and the apps run the built package.
  await mustRun('npm', ['run', 'build'], { env: process.env, cwd: projectDirectory });
  const [here, onLocalAws] = [rows.filter((row) => !row.onLocalAws), rows.filter((row) => row.onLocalAws)];
  const results: RowResult[] = [];
  let about: Machine | undefined;
  const measureAll = async (some: readonly Row[], testBed: TestBed): Promise<void> => {
    about ??= await machine(testBed);
    for (const row of some) {
      const { onRun, end } = progress(process.stderr, row);
      results.push(await measure(row, testBed, onRun));
      end();
    }
  };
  // The local AWS must not run during the other measurements.
  if (here.length) await withFolder(async (folder) => measureAll(here, await TestBed.open(folder)));
  if (onLocalAws.length) {
    await withLocalAws(async (aws) => measureAll(onLocalAws, await TestBed.open(aws.folder, aws)), announce);
  }
  const command = ['npm run bench', ...(argv.length ? ['--', ...argv] : [])].join(' ');
  return { date: new Date().toISOString().slice(0, 10), command, machine: about as Machine, rows: results };
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const names = [...ROWS, ...ON_DEMAND].map(({ name }) => name);
  const { only, json, write } = parseArguments(argv, names);
  if (write) {
    writeDocs(
      projectDirectory,
      ROWS.map(({ name }) => name),
    );
    return 0;
  }
  const results = await bench(only.length ? [...ROWS, ...ON_DEMAND].filter(({ name }) => only.includes(name)) : ROWS, argv);
  console.log(`\n${terminalTable(results.rows)}`);
  if (json) {
    mkdirSync(path.dirname(path.resolve(json)), { recursive: true });
    const before = only.length && existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : undefined;
    writeFileSync(json, toJson(before ? merge(before, results, names) : results));
  }
  return results.rows.every(isMeasured) ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  },
);
