import path from 'node:path';
import { DEPENDENCIES_DIRECTORY } from '../../lib/contract';
import type { Row } from '../row';
import { sampleWith300 } from '../test-bed/backends';
import { ourPackage, plainDependencies } from '../test-bed/packages';

const IMPORT = 'import sqlalchemy.ext.asyncio, sqlalchemy.dialects.postgresql.asyncpg, alembic.command, asyncpg';

export const imports: Row = {
  name: 'imports',
  title: 'import of SQLAlchemy, Alembic and driver from the zip',
  unit: 'ms',
  runs: 7,
  goals: [{ timesFaster: 2.5, than: 'without bytecode' }],
  async prepare(testBed) {
    const backend = await sampleWith300(testBed);
    const { root, env } = await ourPackage(testBed, backend);
    const plain = await plainDependencies(testBed, backend);
    const run = async (directory: string) =>
      (await testBed.timed({ command: testBed.python, args: ['-c', IMPORT], env: { ...env, PYTHONPATH: directory } })).ms;
    return [
      { name: 'cdk-alembic', run: () => run(path.join(root, DEPENDENCIES_DIRECTORY)) },
      { name: 'without bytecode', run: () => run(plain.root) },
    ];
  },
};
