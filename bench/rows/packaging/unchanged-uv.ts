import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Row } from '../../row';
import { sampleWith300 } from '../../test-bed/backends';
import { packageBackend } from '../../test-bed/packaging';

export const packagingUnchangedUv: Row = {
  name: 'packaging-unchanged-uv',
  title: 'packaging, unchanged backend: calls of uv',
  unit: 'calls',
  runs: 1,
  goals: [{ atMost: 0 }],
  async prepare(testBed) {
    const backend = await sampleWith300(testBed);
    const directory = testBed.newPath('counted');
    const [counter, calls] = [path.join(directory, 'uv'), path.join(directory, 'calls')];
    mkdirSync(directory);
    writeFileSync(counter, `#!/bin/sh\necho call >> "${calls}"\nexec uv "$@"\n`);
    chmodSync(counter, 0o755);
    const run = async (): Promise<number> => {
      rmSync(calls, { force: true });
      await packageBackend(testBed, backend, path.join(directory, 'cdk.out'), { UV: counter });
      return existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').length - 1 : 0;
    };
    return [{ name: 'cdk-alembic', run }];
  },
};
