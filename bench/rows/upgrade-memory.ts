import type { Row } from '../row';
import { sample } from '../test-bed/backends';
import { createDatabase } from '../test-bed/database';
import { upgrade } from '../test-bed/invoke';
import { ourPackage } from '../test-bed/packages';

export const upgradeMemory: Row = {
  name: 'upgrade-memory',
  title: "memory of the sample's upgrade from empty: peak of the process",
  unit: 'bytes',
  runs: 3,
  goals: [{ atMost: 256 * 1024 * 1024 }],
  async prepare(testBed) {
    const backend = await sample(testBed);
    const ours = await ourPackage(testBed, backend);
    const run = async (): Promise<number> => {
      const database = await createDatabase(testBed, testBed.newName('memory'));
      const { peakBytes } = await upgrade(testBed, ours, database, backend.head);
      await database.expectVersion(backend.head);
      await database.drop();
      return peakBytes;
    };
    return [{ name: 'cdk-alembic', run }];
  },
};
