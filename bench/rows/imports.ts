import { cpSync } from 'node:fs';
import path from 'node:path';
import { DEPENDENCIES_DIRECTORY } from '../../lib/contract';
import type { Row } from '../row';
import { sampleWith300 } from '../world/backends';
import { ourPackage } from '../world/packages';

const IMPORT = 'import sqlalchemy.ext.asyncio, sqlalchemy.dialects.postgresql.asyncpg, alembic.command, asyncpg';

export const imports: Row = {
  name: 'imports',
  title: 'import of SQLAlchemy, Alembic and driver from the zip',
  unit: 'ms',
  runs: 7,
  goals: [{ timesFaster: 2.5, than: 'without bytecode' }],
  async prepare(world) {
    const { root, env } = await ourPackage(world, await sampleWith300(world));
    const ours = path.join(root, DEPENDENCIES_DIRECTORY);
    const without = world.newPath('without-bytecode');
    const filter = (source: string) => path.basename(source) !== '__pycache__';
    cpSync(ours, without, { recursive: true, preserveTimestamps: true, filter });
    const run = async (directory: string) =>
      (await world.timed({ command: world.python, args: ['-c', IMPORT], env: { ...env, PYTHONPATH: directory } })).ms;
    return [
      { name: 'cdk-alembic', run: () => run(ours) },
      { name: 'without bytecode', run: () => run(without) },
    ];
  },
};
