import path from 'node:path';
import type { Backend } from './backends';
import type { TestBed } from './test-bed';

/**
 * The virtual environment that `uv sync` makes of the sample's lock: where people run `alembic`.
 *
 * @param name of the environment: of each lock there is one
 */
export function virtualEnvironment(testBed: TestBed, { directory }: Backend, name = 'venv'): Promise<string> {
  return testBed.once(name, async (venv) => {
    const args = ['sync', '--frozen', '--no-dev', '--quiet', '--python', testBed.pythonVersion];
    await testBed.run({ command: 'uv', args, cwd: directory, env: { UV_PROJECT_ENVIRONMENT: venv } });
    return path.join(venv, 'bin');
  });
}
