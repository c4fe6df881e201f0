/*
 * npm run pictures
 *
 * Draws docs/review.svg and docs/fix.svg and writes docs/review-example.html, from real runs on the sample backend. A test says when they are
 * out of date.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory, toolPython, withFolder } from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';
import { COLUMNS, onTerminal, RUNS } from './runs';

async function drawAll(folder: string): Promise<void> {
  const backendPython = await toolPython('python-tests');
  const rich = await toolPython('pictures');
  const docs = path.join(projectDirectory, 'docs');
  for (const run of RUNS) {
    const own = path.join(folder, run.picture);
    mkdirSync(own);
    const text = path.join(folder, 'text');
    writeFileSync(text, await onTerminal(run, own, backendPython, run.page && path.join(docs, run.page)));
    const drawing = [String(COLUMNS), text, path.join(docs, run.picture), `npx safe-alembic ${run.command}`];
    await mustRun(rich, [path.join(__dirname, 'draw.py'), ...drawing], { env: process.env, cwd: folder });
  }
}

withFolder(drawAll).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
