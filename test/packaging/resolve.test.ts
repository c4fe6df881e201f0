import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileRequirements } from '../../lib/packaging/dependencies/compile';
import type { FunctionPlatform } from '../../lib/packaging/platform';
import { temporaryDirectory } from './support';

const lambda: FunctionPlatform = { architecture: 'arm64', pythonVersion: '3.13' };

describe('resolving unpinned requirements', () => {
  const { UV } = process.env;
  afterEach(() => {
    if (UV === undefined) delete process.env.UV;
    else process.env.UV = UV;
  });

  /** A uv that finds these Pythons and resolves to nothing. Returns what it was called with. */
  function resolvedWith(pythons: Readonly<Record<string, string>>): string[][] {
    const folder = temporaryDirectory();
    const found = Object.entries(pythons).map(([request, python]) => `*"${request}") echo ${python};;`);
    const script = `echo "$@" >> ${folder}/calls\n[ "$1" = pip ] && exit\ncase "$*" in ${found.join(' ')} *) exit 2;; esac`;
    process.env.UV = join(folder, 'uv');
    writeFileSync(process.env.UV, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const selection = { requirements: [], groups: [], extras: [], without: [], add: [] };
    compileRequirements(folder, { lines: ['alembic'] }, selection, lambda);
    const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
    return calls.map((call) => call.split(' ')).filter(([command]) => command === 'pip');
  }

  const WITH_PYTHON = (python: string) => [expect.arrayContaining(['--python', python, '--python-version', '3.13.99'])];

  test('uses the Python of the function if this machine has it', () => {
    expect(resolvedWith({ '@3.13': '/own/python3.13', '@>=3.11': '/own/python3.11' })).toEqual(WITH_PYTHON('/own/python3.13'));
  });

  test("keeps a distribution that requires a recent patch release of the function's Python", () => {
    const lines = ['six; python_full_version >= "3.13.1"', 'colorama; python_full_version < "3.13.1"'];
    const selection = { requirements: [], groups: [], extras: [], without: [], add: [] };
    const { requirements } = compileRequirements(temporaryDirectory(), { lines }, selection, lambda);
    expect(requirements.map(({ name }) => name)).toEqual(['six']);
  });

  test('uses another Python otherwise, so uv downloads none', () => {
    expect(resolvedWith({ '@>=3.11': '/own/python3.11' })).toEqual(WITH_PYTHON('/own/python3.11'));
  });
});
