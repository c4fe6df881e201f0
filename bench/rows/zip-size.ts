import type { Row } from '../row';
import { sample } from '../world/backends';
import { ourPackage, plainDependencies } from '../world/packages';

export const zipSize: Row = {
  name: 'zip-size',
  title: 'size of the zip',
  unit: 'bytes',
  runs: 1,
  goals: [{ atMostTimes: 0.6, of: 'uv pip install --target, zipped' }],
  async prepare(world) {
    const backend = await sample(world);
    const [ours, plain] = [await ourPackage(world, backend), await plainDependencies(world, backend)];
    return [
      { name: 'cdk-alembic', run: async () => ours.zipBytes },
      { name: 'uv pip install --target, zipped', run: async () => plain.zipBytes },
    ];
  },
};
