import { mkdtempSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recall, remember } from '../../lib/cache';

const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const { XDG_CACHE_HOME } = process.env;
beforeEach(() => {
  process.env.XDG_CACHE_HOME = mkdtempSync(join(tmpdir(), 'cache-'));
});
afterEach(() => {
  rmSync(process.env.XDG_CACHE_HOME as string, { recursive: true });
  process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
});

const fileOf = (name: string) => join(process.env.XDG_CACHE_HOME as string, 'cdk-alembic', name);

function age(name: string, ms: number): void {
  const time = new Date(Date.now() - ms);
  utimesSync(fileOf(name), time, time);
}

function store(name: string, ageMs: number): void {
  remember(name, name);
  age(name, ageMs);
}

test('an entry that was not used for 30 days is dropped, at most every 10 minutes', () => {
  store('unused', 31 * DAY_MS);
  store('used', 29 * DAY_MS);

  remember('soon after', '');
  expect(recall('unused')).toBeDefined();

  store('unused', 31 * DAY_MS);
  age('last-sweep', 11 * MINUTE_MS);
  remember('later', '');
  expect(['unused', 'used', 'later'].filter(recall)).toEqual(['used', 'later']);
});

test('a used entry does not expire', () => {
  store('old', 31 * DAY_MS);
  recall('old');
  age('last-sweep', 11 * MINUTE_MS);
  remember('new', '');
  expect(recall('old')).toBeDefined();
});

test('the oldest entries are dropped until the rest fits into 256 MB', () => {
  const names = ['a', 'b', 'c'];
  for (const [index, name] of names.entries()) {
    store(name, 0);
    truncateSync(fileOf(name), 100 * 1024 * 1024);
    age(name, (3 - index) * MINUTE_MS);
  }
  age('last-sweep', 11 * MINUTE_MS);
  remember('new', '');
  expect([...names, 'new'].filter(recall)).toEqual(['b', 'c', 'new']);
});
