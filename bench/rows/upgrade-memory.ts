import type { Row } from '../row';
import { sample } from '../world/backends';
import { createDatabase } from '../world/database';
import { upgrade } from '../world/invoke';
import { ourPackage } from '../world/packages';

export const upgradeMemory: Row = {
  name: 'upgrade-memory',
  title: "memory of the sample's upgrade from empty: peak of the process",
  unit: 'bytes',
  runs: 3,
  goals: [{ atMost: 256 * 1024 * 1024 }],
  async prepare(world) {
    const backend = await sample(world);
    const ours = await ourPackage(world, backend);
    const run = async (): Promise<number> => {
      const database = await createDatabase(world, world.newName('memory'));
      const { peakBytes } = await upgrade(world, ours, database, backend.head);
      await database.expectVersion(backend.head);
      await database.drop();
      return peakBytes;
    };
    return [{ name: 'cdk-alembic', run }];
  },
};
