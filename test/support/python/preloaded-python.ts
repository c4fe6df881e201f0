import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { neutralEnvironment } from '../../../examples/local-aws';
import { superviseFolder } from '../../../lib/local/processes/supervised';
import { needed } from '../../production/environment';

/**
 * A program that does what the Python of the tests does, for the tests of a file that starts it often: it is forked from one that has
 * imported Alembic.
 *
 * @returns its path, which has a program once the tests begin
 */
export function usePreloadedPython(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'python-'));
  const program = path.join(folder, 'python');
  let server: ChildProcess;
  let forget = (): void => {};
  beforeAll(async () => {
    // Keeps one supervisor for all tests of the file: otherwise each test that starts the Python itself would start one.
    forget = superviseFolder(folder);
    const client = readFileSync(path.join(__dirname, 'client.py'), 'utf8');
    writeFileSync(program, `#!${needed('RUNNER_PYTHON')} -IS\n${client}`, { mode: 0o755 });
    // As a backend's environment: a program for which Python would start differently is not forked.
    const env = neutralEnvironment(process.env);
    const args = [path.join(__dirname, 'serve.py'), `${program}.socket`];
    server = spawn(needed('RUNNER_PYTHON'), args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(server, 'exit').then(() => Promise.reject(new Error('the Python that runs programs has ended')));
    await Promise.race([once(server.stdout as NodeJS.ReadableStream, 'data'), ended]);
  });
  afterAll(async () => {
    if (server) {
      const ended = once(server, 'exit');
      server.stdin?.end();
      await ended;
    }
    rmSync(folder, { recursive: true });
    forget();
  });
  return program;
}
