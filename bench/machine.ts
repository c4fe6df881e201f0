import os from 'node:os';
import type { Machine } from './results';
import type { TestBed } from './test-bed/test-bed';

/** What the results were measured on. */
export async function machine(testBed: TestBed): Promise<Machine> {
  const [{ version } = { version: '' }] = await testBed.postgres.query<{ version: string }>(
    'postgres',
    "SELECT current_setting('server_version') AS version",
  );
  const { stdout } = await testBed.run({
    command: testBed.python,
    args: ['-c', 'import platform; print(platform.python_version())'],
  });
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    system: `${os.type()} ${os.arch()}`,
    node: process.versions.node,
    python: stdout,
    postgres: version,
  };
}
