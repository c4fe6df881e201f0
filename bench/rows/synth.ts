import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Row } from '../row';
import { sample } from '../test-bed/backends';
import { app, cdk, context } from '../test-bed/cdk';

export const synth: Row = {
  name: 'synth',
  title: '`cdk synth` of the sample, backend unchanged',
  unit: 'ms',
  runs: 5,
  goals: [{ timesFaster: 1, than: 'bare app' }],
  async prepare(testBed) {
    const { directory } = await sample(testBed);
    const { architecture, pythonVersion } = testBed;
    const ours = context({ stage: 'dev', backend: directory, architecture, pythonVersion });
    const run = (stack: string, args: readonly string[], env?: NodeJS.ProcessEnv) => async (): Promise<number> => {
      const outdir = path.join(testBed.folder, `synth-${stack}`);
      const template = path.join(outdir, `${stack}.template.json`);
      rmSync(template, { force: true });
      const { ms } = await testBed.timed({ ...cdk(['synth', '--quiet', '--output', outdir, ...args]), env });
      if (!existsSync(template)) throw new Error(`the template of ${stack} does not exist`);
      return ms;
    };
    return [
      { name: 'cdk-alembic', run: run('template-saas-dev', ours) },
      { name: 'bare app', run: run('bare', app('bare')) },
      { name: "bare app, without the CDK's validation", run: run('bare', app('bare'), { CDK_VALIDATION: 'false' }) },
    ];
  },
};
