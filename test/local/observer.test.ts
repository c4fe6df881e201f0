import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Ask, Report } from '../../lib/contract/facts';
import { withFolder } from '../../lib/local/processes/with-folder';
import { type ObserverOptions, startObserver } from '../../lib/local/python/observer';
import { needed } from '../production/environment';
import { Project } from './project';

/** Asks a command that stands where the backend's Python would; `script` is what it runs. */
async function ask(
  python: readonly string[],
  options: Partial<ObserverOptions> = {},
  asked: readonly Ask[] = [{ ask: 'graph' }],
): Promise<Report[]> {
  return withFolder(async (folder) => {
    const observer = startObserver({ project: folder, python, ...options });
    const reports: Report[] = [];
    for (const one of asked) await observer.ask(one, (report) => reports.push(report));
    await observer.end();
    return reports;
  });
}

const REPLAY: Ask = { ask: 'observe', revisions: [], drift: false };

/** A program in JavaScript. What is added to the command, `-c` and the bootstrap, does not concern it. */
const program = (script: string) => [process.execPath, '-e', script, '--'];

const ANSWERS = `require('readline').createInterface({ input: process.stdin }).on('line', (line) => {`;

describe('the backend’s Python', () => {
  it('gets the address for all connections, and its output goes elsewhere', async () => {
    const printed: string[] = [];
    const reports = await ask(
      program(`console.error('printed by the backend'); let hello; ${ANSWERS}
        if (!hello) { hello = JSON.parse(line); return; }
        const { scratch, environment, project } = hello;
        console.log(JSON.stringify({ report: 'created', scratch, environment, project, asked: JSON.parse(line) }));
        console.log('{"report":"end"}');
      })`),
      { scratch: Promise.resolve('postgresql://x'), environment: { A: 'b' }, onOutput: (line) => printed.push(line) },
      [REPLAY],
    );
    const told = { scratch: true, environment: { A: 'b' }, project: '.', asked: { ...REPLAY, scratch: 'postgresql://x' } };
    expect(reports).toEqual([{ report: 'created', ...told }]);
    expect(printed).toEqual(['printed by the backend']);
  });

  it('gets the bytecode that it has reported, unless what was kept is damaged', async () => {
    const { XDG_CACHE_HOME } = process.env;
    const folder = mkdtempSync(path.join(tmpdir(), 'observer-'));
    process.env.XDG_CACHE_HOME = folder;
    try {
      const python = program(`let hello; ${ANSWERS}
        if (!hello) { hello = JSON.parse(line); return; }
        console.log(JSON.stringify({ report: 'created', had: hello.bytecode }));
        console.log('{"report":"end"}');
        console.log('{"report":"bytecode","bytecode":"made by this Python"}');
      })`);
      const had = async () => (await ask(python))[0];
      expect(await had()).toEqual({ report: 'created', had: '' });
      expect(await had()).toEqual({ report: 'created', had: 'made by this Python' });
      const cache = path.join(folder, 'cdk-alembic');
      const [entry = ''] = readdirSync(cache);
      appendFileSync(path.join(cache, entry), 'damage');
      expect(await had()).toEqual({ report: 'created', had: '' });
    } finally {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
      rmSync(folder, { recursive: true });
    }
  });

  it('that does not exist is named', async () => {
    await expect(ask(['/nowhere/python'])).rejects.toMatchObject({
      code: 'python_not_started',
      message: expect.stringContaining('"/nowhere/python"'),
    });
  });

  it('that ends before its first word is shown with what it has said', async () => {
    await expect(ask(program(`console.error('no such service: back'); process.exit(14)`))).rejects.toMatchObject({
      code: 'python_not_started',
      message: expect.stringContaining('exit code 14'),
      log: ['no such service: back'],
    });
  });

  it('that ends during its work is shown with its last output', async () => {
    const dies = `${ANSWERS} console.log('{"report":"progress"}'); for (let i = 0; i < 99; i++) console.error(i); process.exit(9) })`;
    await expect(ask(program(dies))).rejects.toMatchObject({
      code: 'observer_died',
      log: expect.arrayContaining(['79', '98']),
    });
  });

  it('that writes something else on its standard output is ended, and the line is shown', async () => {
    await expect(ask(program(`${ANSWERS} console.log('Loading settings…') })`))).rejects.toMatchObject({
      code: 'unexpected_report',
      message: expect.stringContaining('Loading settings…'),
    });
  });

  it('that has no Alembic says so', async () => {
    await expect(ask(['python3', '-I'])).rejects.toMatchObject({
      code: 'alembic_missing',
      next: expect.stringContaining('--python'),
    });
  });

  it('may also have the constructs installed, whose Python package has the name of the runner', async () => {
    const project = new Project();
    const installed = path.join(project.directory, 'installed');
    mkdirSync(path.join(installed, 'cdk_alembic'), { recursive: true });
    project.write('installed/cdk_alembic/__init__.py', 'raise ImportError("this is the CDK app")');
    try {
      const options = { project: project.directory, environment: { PYTHONPATH: installed } };
      const [report] = await ask([needed('RUNNER_PYTHON')], options);
      expect(report).toMatchObject({ report: 'graph', graph: { heads: ['a1'] } });
    } finally {
      project.remove();
    }
  });

  it('is not waited for if the scratch database does not start', async () => {
    const scratch = Promise.reject(new Error('no server'));
    await expect(ask(program('setInterval(() => {}, 1000)'), { scratch }, [REPLAY])).rejects.toThrow('no server');
  });

  it('answers questions about files before the scratch database has started', async () => {
    let start = (_: string) => {};
    const scratch = new Promise<string>((resolve) => {
      start = resolve;
    });
    const answers = program(`let hello; ${ANSWERS} if (!hello) { hello = line; return; }
      console.log(JSON.stringify({ report: 'created', asked: JSON.parse(line) })); console.log('{"report":"end"}'); })`);
    await withFolder(async (project) => {
      const observer = startObserver({ project, python: answers, scratch });
      const reports: unknown[] = [];
      await observer.ask({ ask: 'graph' }, (report) => reports.push(report));
      start('postgresql://x');
      await observer.ask(REPLAY, (report) => reports.push(report));
      await observer.end();
      expect(reports).toEqual(
        [{ ask: 'graph' }, { ...REPLAY, scratch: 'postgresql://x' }].map((asked) => ({ report: 'created', asked })),
      );
    });
  });
});
