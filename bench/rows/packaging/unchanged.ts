import path from 'node:path';
import type { Row } from '../../row';
import { sampleWith300 } from '../../test-bed/backends';
import { packageBackend } from '../../test-bed/packaging';
import { firstPackaging } from './first';

export const packagingUnchanged: Row = {
  name: 'packaging-unchanged',
  title: 'packaging, unchanged backend',
  unit: 'ms',
  runs: 7,
  goals: [{ atMost: 200 }],
  async prepare(testBed) {
    const backend = await sampleWith300(testBed);
    const outdir = path.join(testBed.newPath('unchanged'), 'cdk.out');
    return [
      { name: 'cdk-alembic', run: async () => (await packageBackend(testBed, backend, outdir)).ms },
      { name: 'first packaging', run: () => firstPackaging(testBed, backend) },
    ];
  },
};
