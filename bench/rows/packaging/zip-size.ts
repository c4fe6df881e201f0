import type { Row } from '../../row';
import { sample } from '../../test-bed/backends';
import { ourPackage, plainDependencies } from '../../test-bed/packages';

export const zipSize: Row = {
  name: 'zip-size',
  title: 'size of the zip',
  unit: 'bytes',
  runs: 1,
  goals: [{ atMostTimes: 0.6, of: 'uv pip install --target, zipped' }],
  async prepare(testBed) {
    const backend = await sample(testBed);
    const [ours, plain] = [await ourPackage(testBed, backend), await plainDependencies(testBed, backend)];
    return [
      { name: 'cdk-alembic', run: async () => ours.zipBytes },
      { name: 'uv pip install --target, zipped', run: async () => plain.zipBytes },
    ];
  },
};
