import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fastFolder } from '../../../lib/local/processes/fast-folder';
import { withObserver } from '../../../lib/local/python/with-observer';

describe('a folder for many files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fast-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is in memory, and nothing is left in it', () => {
    expect(fastFolder(1, folder)).toBe(folder);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is the usual temporary folder if memory is short or there is no folder in memory', () => {
    expect(fastFolder(Number.POSITIVE_INFINITY, folder)).toBe(tmpdir());
    expect(fastFolder(1, path.join(folder, 'missing'))).toBe(tmpdir());
  });
});

describe('a scratch server', () => {
  const { TMPDIR } = process.env;
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  const above = (large?: boolean) =>
    withObserver({ project: tmpdir(), python: ['true'], database: 'scratch', large }, async ({ folder }) => path.dirname(folder));

  it('has its files in memory, unless they are many or TMPDIR says where they belong', async () => {
    delete process.env.TMPDIR;
    expect([await above(), await above(true)]).toEqual([fastFolder(2 * 2 ** 30), tmpdir()]);
    process.env.TMPDIR = tmpdir();
    expect(await above()).toBe(tmpdir());
  });
});
