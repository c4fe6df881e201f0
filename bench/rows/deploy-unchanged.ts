import path from 'node:path';
import type { LocalAws } from '../../examples/local-aws';
import type { Row } from '../row';
import { sample } from '../test-bed/backends';
import { app, cdk, context } from '../test-bed/cdk';

const DATABASE = 'deploy_unchanged';

export const deployUnchanged: Row = {
  name: 'deploy-unchanged',
  title: '`cdk deploy` with nothing changed, local AWS',
  unit: 'ms',
  runs: 7,
  warmUp: false,
  goals: [{ atMostTimes: 1.05, of: 'without migrations' }],
  onLocalAws: true,
  async prepare(testBed) {
    const aws = testBed.aws as LocalAws;
    const { code, output } = await aws.bootstrap();
    if (code !== 0) throw new Error(`the local AWS can't be bootstrapped:\n${output}`);
    const { directory: backend, head } = await sample(testBed);
    const databaseSecretArn = await aws.createDatabaseWithSecret(DATABASE);
    const { architecture, pythonVersion } = aws;
    const settings = context({ stage: 'dev', backend, databaseSecretArn, architecture, pythonVersion });

    const deploy = async (name: string, args: readonly string[] = []) => {
      const outdir = path.join(testBed.folder, `deploy-${name}`);
      const options = ['--require-approval', 'never', '--output', outdir, ...settings];
      const deployed = await testBed.timed(cdk(['deploy', ...options, ...args]));
      const versions = await aws.postgres.query<{ version_num: string }>(DATABASE, 'SELECT version_num FROM alembic_version');
      if (versions[0]?.version_num !== head) throw new Error(`the database is not at ${head} after the deploy`);
      return deployed;
    };
    const again = (name: string, args?: readonly string[]) => async (): Promise<number> => {
      const { ms, output } = await deploy(name, args);
      if (!output.includes('(no changes)')) throw new Error(`something had changed:\n${output}`);
      return ms;
    };
    const without = app('without-migrations');
    await deploy('with', SAMPLE_APP);
    await deploy('without', without);
    return [
      { name: 'cdk-alembic', run: again('with', SAMPLE_APP) },
      { name: 'without migrations', run: again('without', without) },
    ];
  },
};

/** Without what bin/app.ts does for a fresh clone. */
const SAMPLE_APP = ['--app', 'node --import tsx examples/template-saas/infra/app.ts'];
