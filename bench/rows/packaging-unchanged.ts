import path from 'node:path';
import type { Row } from '../row';
import { sampleWith300 } from '../world/backends';
import { packageBackend } from '../world/packaging';
import { firstPackaging } from './packaging-first';

export const packagingUnchanged: Row = {
  name: 'packaging-unchanged',
  title: 'packaging, unchanged backend',
  unit: 'ms',
  runs: 7,
  goals: [{ atMost: 200 }],
  async prepare(world) {
    const backend = await sampleWith300(world);
    const outdir = path.join(world.newPath('unchanged'), 'cdk.out');
    return [
      { name: 'cdk-alembic', run: async () => (await packageBackend(world, backend, outdir)).ms },
      { name: 'first packaging', run: () => firstPackaging(world, backend) },
    ];
  },
};
