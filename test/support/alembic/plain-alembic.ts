import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { needed } from '../../production/environment';

/** Alembic's own command line, without anything of ours. */
export interface PlainAlembic {
  /** Runs it in a project that reads DATABASE_URL, and fails as it does. @param url of the database, as `pg` takes it */
  run(folder: string, url: string, ...args: string[]): Promise<void>;
}

/** Alembic for the tests of a file, imported once: importing it takes most of a run's time. */
export function usePlainAlembic(): PlainAlembic {
  let python: ChildProcess;
  let answers: AsyncIterator<string>;
  beforeAll(() => {
    const env = { ...process.env, PYTHONPATH: '' };
    python = spawn(needed('RUNNER_PYTHON'), [path.join(__dirname, 'serve.py')], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    python.stdin?.on('error', () => {}); // Its end is reported below.
    answers = createInterface({ input: python.stdout as Readable })[Symbol.asyncIterator]();
  });
  afterAll(() => python?.kill());
  return {
    async run(folder, url, ...args) {
      const asked = { folder, url: url.replace('postgresql:', 'postgresql+psycopg:'), arguments: args };
      (python.stdin as Writable).write(`${JSON.stringify(asked)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('the Python that runs Alembic has ended');
      const { code, output } = JSON.parse(value);
      if (code !== 0) throw new Error(`alembic ${args.join(' ')} ended with exit code ${code}:\n${output}`);
    },
  };
}
