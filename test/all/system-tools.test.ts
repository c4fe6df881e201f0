import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findTool } from './system-tools';

describe('the browser of the tests', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'chromium-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is the one that CHROMIUM names, even if another is installed', () => {
    writeFileSync(path.join(folder, 'google-chrome'), '');
    expect(findTool('chromium', { CHROMIUM: '/somewhere/chrome', PATH: folder })).toBe('/somewhere/chrome');
    expect(findTool('chromium', { PATH: folder })).toBe(path.join(folder, 'google-chrome'));
    writeFileSync(path.join(folder, 'chromium'), '');
    expect(findTool('chromium', { PATH: folder })).toBe(path.join(folder, 'chromium'));
  });

  it('is undefined if none is installed', () => {
    expect(findTool('chromium', { PATH: path.join(folder, 'empty') })).toBeUndefined();
  });
});
