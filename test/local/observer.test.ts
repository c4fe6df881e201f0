import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Ask, Report } from '../../lib/contract/facts';
import { withFolder } from '../../lib/local/processes/with-folder';
import { type Observed, readGraph } from '../../lib/local/python/observe';
import { type Observer, type ObserverOptions, startObserver } from '../../lib/local/python/observer';
import { divide, observeSideBySide } from '../../lib/local/python/side-by-side';
import { type Another, withObserver } from '../../lib/local/python/with-observer';
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

/** The same for what comes after the two lines of the beginning. */
const ANSWERS_ASKS = `const told = []; ${ANSWERS} if (told.length < 2) { told.push(JSON.parse(line)); return; }`;

describe('the backend’s Python', () => {
  it('gets the address for all connections, and its output does not disturb the reports', async () => {
    const printed: string[] = [];
    const reports = await ask(
      program(`console.error('printed by the backend'); ${ANSWERS_ASKS}
        const { scratch, environment, project } = told[0];
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

  it('gets the bytecode that it reported earlier, unless the cached file is damaged', async () => {
    const { XDG_CACHE_HOME } = process.env;
    const folder = mkdtempSync(path.join(tmpdir(), 'observer-'));
    process.env.XDG_CACHE_HOME = folder;
    try {
      const python = program(`${ANSWERS_ASKS}
        console.log(JSON.stringify({ report: 'created', had: told[1].bytecode }));
        console.log('{"report":"end"}');
        console.log('{"report":"bytecode","bytecode":"made by this Python"}');
      })`);
      const had = async () => (await ask(python))[0];
      expect(await had()).toEqual({ report: 'created', had: '' });
      expect(await had()).toEqual({ report: 'created', had: 'made by this Python' });
      const cache = path.join(folder, 'cdk-alembic');
      const entry = readdirSync(cache).find((name) => name !== 'last-sweep') as string;
      appendFileSync(path.join(cache, entry), 'damage');
      expect(await had()).toEqual({ report: 'created', had: '' });
    } finally {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
      rmSync(folder, { recursive: true });
    }
  });

  it('that does not exist is reported by name', async () => {
    await expect(ask(['/nowhere/python'])).rejects.toMatchObject({
      code: 'python_not_started',
      message: expect.stringContaining('"/nowhere/python"'),
    });
  });

  it('that ends before its first report is reported with its output', async () => {
    await expect(ask(program(`console.error('no such service: back'); process.exit(14)`))).rejects.toMatchObject({
      code: 'python_not_started',
      message: expect.stringContaining('exit code 14'),
      log: ['no such service: back'],
    });
  });

  it('that uv cannot start is reported with the uv command that fixes it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'cdk-alembic-test-'));
    try {
      const uv = path.join(folder, 'uv');
      writeFileSync(uv, '#!/bin/sh\necho "error: no such package" >&2\nexit 2\n', { mode: 0o755 });
      await expect(ask([uv, 'run', '--project', folder, 'python'])).rejects.toMatchObject({
        code: 'python_not_started',
        next: `run \`uv sync\` in ${folder} until it works`,
        log: ['error: no such package'],
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('that ends during its work is reported with its last output', async () => {
    const dies = `${ANSWERS} console.log('{"report":"progress"}'); for (let i = 0; i < 99; i++) console.error(i); process.exit(9) })`;
    await expect(ask(program(dies))).rejects.toMatchObject({
      code: 'observer_died',
      log: expect.arrayContaining(['79', '98']),
    });
  });

  it('that writes anything but reports to its standard output is stopped, and the error shows the line', async () => {
    await expect(ask(program(`${ANSWERS} console.log('Loading settings…') })`))).rejects.toMatchObject({
      code: 'unexpected_report',
      message: expect.stringContaining('Loading settings…'),
    });
  });

  it('without Alembic is reported', async () => {
    await expect(ask(['python3', '-I', '-S'])).rejects.toMatchObject({
      code: 'alembic_missing',
      next: expect.stringContaining('--python'),
    });
  });

  it('may have the constructs installed, whose Python package has the same name as the runner', async () => {
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
    const answers = program(`${ANSWERS_ASKS}
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

describe('several Pythons at once', () => {
  const revisions = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'b1'];
  let project: Project;

  beforeAll(() => {
    project = new Project();
    const concurrently = (sql: string) => `with op.get_context().autocommit_block(): op.execute("${sql}")`;
    project.revision('a2', 'a1', 'Fail', 'op.execute("ALTER TABLE nowhere ADD name text")');
    project.revision('a3', 'a2', 'Add', 'op.add_column("users", sa.Column("name", sa.Text))', 'op.drop_column("users", "name")');
    project.revision('a4', 'a3', 'Seed', `op.execute("INSERT INTO users (name) VALUES ('Ada')")`);
    // Its second upgrade fails, and what is left is not the same schema.
    project.revision('a5', 'a4', 'Index', concurrently('CREATE INDEX CONCURRENTLY ix ON users (name)'));
    const count = 'str(op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar())';
    project.revision('a6', 'a5', 'Count', `op.execute("COMMENT ON TABLE users IS '" + ${count} + "'")`);
    project.revision('b1', 'a3', 'Branch', 'op.create_table("other", sa.Column("id", sa.BigInteger))', 'op.drop_table("other")');
  });

  afterAll(() => project.remove());

  type More = (another: Another) => Promise<Observer | undefined>;
  const forked: More = (another) => another.fork();
  const started: More = async (another) => another.start();

  /** What is observed by as many Pythons as there are sizes, without durations. */
  const observedBy = (more: More, ...sizes: readonly number[]): Promise<Observed> =>
    withObserver(
      { project: project.directory, python: [needed('RUNNER_PYTHON')], database: 'scratch' },
      async ({ observer, another }) => {
        const left = [...revisions];
        await readGraph(observer);
        const others = await Promise.all(
          sizes.map(async (_, at) => (at ? ((await more(another as Another)) as Observer) : observer)),
        );
        const shares = sizes.map((size, at) => ({ observer: others[at] as Observer, revisions: left.splice(0, size) }));
        const observed = await observeSideBySide(shares, { drift: true });
        return JSON.parse(JSON.stringify(observed, (key, value) => (key === 'milliseconds' ? 0 : value)));
      },
    );

  it('find the same as one', async () => {
    const byOne = await observedBy(started, 7);
    expect(byOne.revisions.map(({ upgrade }) => upgrade.outcome)).toEqual(
      revisions.map((id) => (id === 'a2' ? 'failed' : 'done')),
    );
    expect(byOne.revisions[5]?.changes?.added).toEqual({ 'comment on table users': '1' });
    expect(byOne.revisions[4]?.again?.outcome).toBe('failed');
    expect(await observedBy(started, 3, 2, 2)).toEqual(byOne);
    expect(await observedBy(forked, 3, 4)).toEqual(byOne);
  });

  it.each([
    ['are forks of the first one', true, 'pass'],
    ['are not if that one has threads', false, 'threading.Thread(target=threading.Event().wait, daemon=True).start()'],
  ])('%s', async (_, isFork, imported) => {
    const other = new Project();
    other.revision('a2', 'a1', 'Wait', 'pass', `pass\n\n\nimport threading\n${imported}`);
    try {
      const options = { project: other.directory, python: [needed('RUNNER_PYTHON')], database: 'scratch' as const };
      await withObserver(options, async ({ observer, another, folder }) => {
        await readGraph(observer);
        const fork = await another?.fork();
        expect(fork !== undefined).toBe(isFork && process.platform === 'linux');
        if (!fork) another?.start();
        // One for each of them, and none for a fork that was not safe.
        expect(readdirSync(folder).filter((name) => name.startsWith('postgres-'))).toHaveLength(2);
        expect((await readGraph(observer)).heads).toEqual(['a2']);
      });
    } finally {
      other.remove();
    }
  });

  it('get shares of equal duration if there are enough revisions', () => {
    const history = Array.from({ length: 1000 }, (_, number) => `r${number}`);
    const sizes = (count: number, most: number) => divide(history.slice(0, count), 80, most).map(({ length }) => length);
    expect(sizes(1000, 1)).toEqual([1000]);
    expect([sizes(100, 2), sizes(300, 2), sizes(1000, 4)]).toEqual([[100], [217, 83], [409, 247, 197, 147]]);
    expect(divide(history, 80, 4).flat()).toEqual(history);
    expect(divide([], 80, 4)).toEqual([[]]);
  });
});
