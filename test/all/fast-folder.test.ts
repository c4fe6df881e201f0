import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fastFolder } from './fast-folder';

describe('the folder in which the tests write', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fast-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the one in memory, in which nothing is left', () => {
    expect(fastFolder(folder, 1)).toBe(folder);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is the usual one if memory is short or there is none', () => {
    expect(fastFolder(folder, Number.POSITIVE_INFINITY)).toBe(tmpdir());
    expect(fastFolder(path.join(folder, 'missing'), 1)).toBe(tmpdir());
  });
});
