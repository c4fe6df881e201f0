import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Ask, GraphFacts, Report } from '../../lib/contract/facts';
import { withPostgresServer } from '../../lib/local/postgres/server';
import { withFolder } from '../../lib/local/processes/with-folder';
import { type Observed, observe, readGraph } from '../../lib/local/python/observe';
import { type Observer, startObserver } from '../../lib/local/python/observer';
import { withObserver } from '../../lib/local/python/with-observer';
import { ReplayCache } from '../../lib/local/replay-cache/replay-cache';
import { usePreloadedPython } from '../support/python/preloaded-python';
import { Project } from './project';

const EARLIER = 21;
const idOf = (number: number) => `r${String(number).padStart(2, '0')}`;
const python = [usePreloadedPython()];

let project: Project;
let cache: string;
let before: NodeJS.ProcessEnv;

beforeEach(async () => {
  before = process.env;
  cache = mkdtempSync(path.join(tmpdir(), 'cache-'));
  process.env = { ...before, XDG_CACHE_HOME: cache };
  project = new Project();
  rmSync(path.join(project.directory, 'migrations/versions/a1.py'));
  project.write('seed.txt', 'Ada');
  const seed = `op.execute("INSERT INTO users (name) VALUES ('" + open("seed.txt").read() + "')")`;
  project.revision(idOf(1), null, 'Add users', 'op.execute("CREATE TABLE users (id bigserial PRIMARY KEY, name text)")');
  project.revision(idOf(2), idOf(1), 'Seed users', seed);
  for (let number = 3; number <= EARLIER; number++) project.revision(idOf(number), idOf(number - 1), 'Do nothing', 'pass');
  const rows = 'op.get_bind().execute(sa.text("SELECT name FROM users")).scalars().all()';
  project.revision(
    idOf(EARLIER + 1),
    idOf(EARLIER),
    'Look',
    `op.execute(sa.text("COMMENT ON TABLE users IS '" + str(len(${rows})) + "'"))`,
  );
  // A replay that begins in the millisecond of the last write is not kept: it may have read the file before.
  for (const written = Date.now(); Date.now() <= written; ) await setTimeout(1);
});

afterEach(() => {
  process.env = before;
  project.remove();
  rmSync(cache, { recursive: true });
});

const entries = () => readdirSync(path.join(cache, 'cdk-alembic')).filter((name) => name.startsWith('replay-'));

/** Replays the head. Durations are left out. */
async function replay(environment?: Record<string, string>): Promise<{ observed: Observed; restored: number }> {
  const options = { project: project.directory, python, environment, database: 'scratch', keep: { written: [] } } as const;
  return withObserver(options, async ({ observer, restored }) => {
    const { heads } = await readGraph(observer);
    const observed = await observe(observer, { revisions: heads, drift: true });
    const text = JSON.stringify(observed, (key, value) => (key === 'milliseconds' ? 0 : value));
    return { observed: JSON.parse(text), restored: restored() };
  });
}

/** Whether there is an entry to try before the backend has started. */
const isCurrent = (environment?: Record<string, string>): boolean =>
  new ReplayCache({ project: project.directory, python, environment, written: [], since: Date.now() }).entry !== undefined;

describe('a cached replay', () => {
  it('is restored with its rows instead of running again, even under a new revision, until anything that it read changes', async () => {
    process.env.PYTHONPYCACHEPREFIX = path.join(cache, 'bytecode'); // Python writes there while the revisions are read.
    const ran = await replay();
    expect([ran.restored, entries().length]).toEqual([0, 1]);
    const [revision] = ran.observed.revisions;
    expect([revision?.upgrade.outcome, revision?.changes?.added]).toEqual(['done', { 'comment on table users': '1' }]);
    const again = await replay();
    expect(again).toEqual({ observed: ran.observed, restored: EARLIER });

    project.revision(idOf(EARLIER + 2), idOf(EARLIER + 1), 'Add age', 'op.add_column("users", sa.Column("age", sa.Integer()))');
    expect(await replay()).toMatchObject({ restored: EARLIER, observed: { revisions: [{ upgrade: { outcome: 'done' } }] } });

    // What is looked at before the backend starts.
    const changes: Record<string, () => void> = {
      'an earlier revision': () => append(`migrations/versions/${idOf(5)}.py`),
      'env.py': () => append('migrations/env.py'),
      'alembic.ini': () => append('alembic.ini'),
      'the models': () => append('models.py'),
      'a file that a revision reads': () => append('seed.txt'),
      'a new module': () => project.write('sqlalchemy.py', ''),
      'a new file': () => project.write('new.json', ''),
      'a new .env': () => project.write('.env', ''),
      'a removed file': () => rmSync(path.join(project.directory, 'models.py')),
      'a variable': () => (process.env.SOME_SETTING = 'on'),
      'the day': () => jest.useFakeTimers({ now: Date.now() + 24 * 60 * 60 * 1000, doNotFake: ['nextTick', 'setImmediate'] }),
      'a damaged entry': () => damage(100),
      'an empty entry': () => writeFileSync(entryFile(), ''),
    };
    expect(isCurrent({ A: 'b' })).toBe(false);
    for (const [what, change] of Object.entries(changes)) {
      const [files, entry] = [snapshot(project.directory), readFileSync(entryFile())];
      expect([what, isCurrent()]).toEqual([what, true]);
      change();
      expect([what, isCurrent()]).toEqual([what, false]);
      jest.useRealTimers();
      delete process.env.SOME_SETTING;
      for (const file of ['sqlalchemy.py', 'new.json', '.env']) rmSync(path.join(project.directory, file), { force: true });
      for (const [file, content] of files) writeFileSync(file, content);
      writeFileSync(entryFile(), entry);
    }

    // A damaged copy of the server: found when it is unpacked. In its checksum: in a run of zeros, another byte may say the same.
    damage(-8);
    expect(isCurrent()).toBe(true);
    expect(await replay()).toMatchObject({ restored: 0, observed: { revisions: [{ upgrade: { outcome: 'done' } }] } });

    // Known once the backend has started: the replay runs on another, empty server.
    project.revision('b1', idOf(4), 'Branch off', 'pass');
    expect((await replay()).restored).toBe(0);
  });

  it('is used only for the same Python, packages and revisions', async () => {
    await replay();
    const graph = await withGraph();
    const revisions = [idOf(EARLIER + 1)];
    const [head] = graph.revisions.slice(-1) as [GraphFacts['revisions'][number]];
    const next = { ...head, revision: 'next', downRevisions: [head.revision] };
    const other = (change: Partial<GraphFacts>): GraphFacts => ({ ...graph, ...change });
    expect(await restores(graph, revisions)).toBe(true);
    expect(await restores(other({ revisions: [...graph.revisions, next] }), ['next'])).toBe(true);
    expect(await restores(graph, [idOf(EARLIER)])).toBe(false);
    expect(await restores(graph, revisions, ['another package'])).toBe(false);
    expect(await restores(graph, revisions, undefined, { baseline: 'SELECT 1' })).toBe(false);
    expect(await restores(graph, revisions, undefined, { overlay: [] })).toBe(false);
    expect(await restores(other({ problem: 'a cycle' }), revisions)).toBe(false);
    const inserted = { ...head, revision: 'inserted' };
    expect(await restores(other({ revisions: [inserted, ...graph.revisions] }), revisions)).toBe(false);
    const branch = { ...next, downRevisions: [idOf(3)] };
    expect(await restores(other({ revisions: [...graph.revisions, branch] }), ['next'])).toBe(false);
    const dependent = { ...next, dependsOn: [idOf(3)] };
    expect(await restores(other({ revisions: [...graph.revisions, dependent] }), ['next'])).toBe(false);
  });

  it('is not stored if a copy would not preserve the state', async () => {
    const bodies = {
      nothing: 'pass',
      'a setting': 'op.execute("SET search_path = public, pg_catalog")',
      'a role': 'op.execute("SET ROLE pg_monitor")',
      'an unlogged table': 'op.execute("CREATE UNLOGGED TABLE fast (id int)")',
      'a temporary table': 'op.execute("CREATE TEMPORARY TABLE short (id int)")',
      'an advisory lock': 'op.execute("SELECT pg_advisory_lock(1)")',
      'a failure': 'op.execute("SELECT nothing")',
      // For the rest of this process, so it is the last one.
      'another process': 'import subprocess; subprocess.run(["true"])',
    };
    const paused: string[] = [];
    await withPostgresServer(project.directory, ({ url }) =>
      withFolder(async () => {
        const options = { project: project.directory, python, scratch: url(), trace: true };
        const observer = startObserver({ ...options, environment: { PYTHONDONTWRITEBYTECODE: '1' } });
        for (const [what, body] of Object.entries(bodies)) {
          project.revision(idOf(3), idOf(2), what, body);
          await observer.ask({ ask: 'observe', revisions: [idOf(EARLIER + 1)], drift: false }, (report) => {
            if (report.report === 'paused') paused.push(`${what}: ${report.unchanged}`);
            if (report.report === 'pause') observer.resume();
          });
        }
        await observer.end();
      }),
    );
    expect(paused).toEqual(['nothing: true']);
  });
});

async function withGraph(): Promise<GraphFacts> {
  return withFolder(async () => {
    const observer = startObserver({ project: project.directory, python });
    const graph = await readGraph(observer);
    await observer.end();
    return graph;
  });
}

/** Whether an observer that reports this is told to go on from the kept replay. `installed`: what its Python reports; by default what it reported. */
async function restores(
  graph: GraphFacts,
  revisions: readonly string[],
  installed?: readonly string[],
  more: Partial<Extract<Ask, { ask: 'observe' }>> = {},
): Promise<boolean> {
  const kept = new ReplayCache({ project: project.directory, python, environment: undefined, written: [], since: Date.now() });
  const told: Ask[] = [];
  const reported = installed ?? (await installedReport());
  const observer: Observer = {
    async ask(ask, onReport) {
      told.push(ask);
      if (ask.ask === 'graph') for (const report of answers(graph, reported)) onReport(report);
    },
    resume() {},
    async end() {},
  };
  const around = kept.wrap(observer, async (fits) => ({ restored: fits, data: '', password: '' }) as never);
  await readGraph(around);
  await around.ask({ ask: 'observe', revisions, drift: true, ...more }, () => {});
  return (told[1] as Extract<Ask, { ask: 'observe' }>).kept !== undefined;
}

let known: readonly string[] | undefined;

async function installedReport(): Promise<readonly string[]> {
  if (known) return known;
  await withFolder(async () => {
    const observer = startObserver({ project: project.directory, python, trace: true });
    await observer.ask({ ask: 'graph' }, (report) => {
      if (report.report === 'python') known = report.installed;
    });
    await observer.end();
  });
  return known as unknown as readonly string[];
}

const answers = (graph: GraphFacts, installed: readonly string[]): Report[] => [
  { report: 'graph', graph },
  { report: 'python', installed },
];

const entryFile = () => path.join(cache, 'cdk-alembic', entries()[0] as string);

/** Changes one byte; a negative place counts from the end. */
function damage(at: number): void {
  const entry = readFileSync(entryFile());
  const place = at < 0 ? entry.length + at : at;
  entry[place] = (entry[place] as number) ^ 1;
  writeFileSync(entryFile(), entry);
}

function append(file: string): void {
  const full = path.join(project.directory, file);
  writeFileSync(full, `${readFileSync(full, 'utf8')}\n`);
}

function snapshot(folder: string): [string, Buffer][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => path.join(file.parentPath, file.name))
    .map((file) => [file, readFileSync(file)]);
}
