/*
 * npm run pictures
 *
 * Draws docs/review.svg, docs/fix.svg and docs/stopped.svg and writes docs/review-example.html, from real runs on the sample backend. Tests say
 * when they are out of date.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  copySampleBackend,
  createSampleStage,
  type LocalAws,
  projectDirectory,
  toolPython,
  withFolder,
  withLocalAws,
} from '../../examples/local-aws';
import { mustRun } from '../../lib/local/processes/run';
import { COLUMNS, onTerminal, RUNS } from './runs';
import { STOPPED, stopped } from './stopped';

const docs = path.join(projectDirectory, 'docs');

async function drawAll(folder: string): Promise<void> {
  const backendPython = await toolPython('python-tests');
  for (const run of RUNS) {
    const own = path.join(folder, run.picture);
    mkdirSync(own);
    const printed = await onTerminal(run, own, backendPython, run.page && path.join(docs, run.page));
    await draw(run.picture, `safe-alembic ${run.command}`, printed, folder);
  }
}

/** A run of `migrate-invoke` against a stage of the local AWS. */
async function drawStopped(aws: LocalAws): Promise<void> {
  await aws.bootstrap();
  const backend = await copySampleBackend(aws, 'back');
  const stage = await createSampleStage(aws, STOPPED.stage, backend);
  await stage.deploy();
  backend.writeMigration(STOPPED.revision);
  await stage.deploy({ hotswap: true });
  await draw(STOPPED.picture, STOPPED.command, await stopped(aws), aws.folder);
}

async function draw(picture: string, command: string, printed: string, folder: string): Promise<void> {
  const text = path.join(folder, 'text');
  writeFileSync(text, printed);
  const drawing = [String(COLUMNS), text, path.join(docs, picture), `npx ${command}`];
  await mustRun(await toolPython('pictures'), [path.join(__dirname, 'draw.py'), ...drawing], { env: process.env, cwd: folder });
}

withFolder(drawAll)
  .then(() => withLocalAws(drawStopped))
  .catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
