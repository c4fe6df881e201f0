import os from 'node:os';
import type { Machine } from './results';
import type { World } from './world/world';

/** What the results were measured on. */
export async function machine(world: World): Promise<Machine> {
  const [{ version } = { version: '' }] = await world.postgres.query<{ version: string }>(
    'postgres',
    "SELECT current_setting('server_version') AS version",
  );
  const { stdout } = await world.run({
    command: world.python,
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
