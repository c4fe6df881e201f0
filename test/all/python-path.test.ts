import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withoutShims } from './python-path';

describe('the PATH of the tests', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'shims-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A folder in which `python3` is this machine's, or one that is too old. */
  function folderOf(name: string, isNewEnough: boolean): string {
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    const directory = path.join(folder, name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'python3'), `#!/bin/sh\n${isNewEnough ? `exec "${python}" "$@"` : 'exit 1'}\n`);
    chmodSync(path.join(directory, 'python3'), 0o755);
    return directory;
  }

  it("has no folder of pyenv if the system's Python is new enough", async () => {
    const [shims, system] = [folderOf('.pyenv/shims', true), folderOf('system', true)];
    expect(await withoutShims(`/before:${shims}:${folder}/.pyenv/bin:${system}`)).toBe(`/before:${system}`);
  });

  it("replaces pyenv's shims with the folder of the Python that they start if the system's is too old", async () => {
    const [shims, old] = [folderOf('.pyenv/shims', true), folderOf('old', false)];

    const directories = (await withoutShims(`/before:${shims}:${old}`)).split(':');

    expect([directories[0], directories[2]]).toEqual(['/before', old]);
    expect(directories[1]).not.toBe(shims);
    expect(() => execFileSync(path.join(directories[1] as string, 'python3'), ['-c', ''])).not.toThrow();
  });

  it('stays unchanged without shims', async () => {
    expect(await withoutShims('/usr/local/bin:/usr/bin')).toBe('/usr/local/bin:/usr/bin');
  });
});
