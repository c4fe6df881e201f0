import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(__dirname, '../..');

test.each(['lambda/on-deploy/index.ts', 'lambda/tenants/index.ts', 'bin/migrate-invoke.ts'])(
  '%s does not load the CDK, so it starts fast',
  async (entry) => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      write: false,
      metafile: true,
      logLevel: 'error',
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs).toContain(entry);
    expect(inputs.filter((input) => /node_modules\/(aws-cdk-lib|constructs)\//.test(input))).toEqual([]);
  },
);
