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

  it("replaces pyenv's shims with the folder of the Python that they start", async () => {
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    const shims = path.join(folder, '.pyenv', 'shims');
    mkdirSync(shims, { recursive: true });
    writeFileSync(path.join(shims, 'python3'), `#!/bin/sh\nexec "${python}" "$@"\n`);
    chmodSync(path.join(shims, 'python3'), 0o755);

    const directories = (await withoutShims(`/before:${shims}:/usr/bin`)).split(':');

    expect([directories[0], directories[2]]).toEqual(['/before', '/usr/bin']);
    expect(directories[1]).not.toBe(shims);
    expect(() => execFileSync(path.join(directories[1] as string, 'python3'), ['-c', ''])).not.toThrow();
  });

  it('stays unchanged without shims', async () => {
    expect(await withoutShims('/usr/local/bin:/usr/bin')).toBe('/usr/local/bin:/usr/bin');
  });
});
