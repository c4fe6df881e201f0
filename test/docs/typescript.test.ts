import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, blocks, root } from './pages';

/** What a reader has already when a block begins. A block that declares one of these itself means its own. */
const SURROUNDINGS = `
declare const api: import('constructs').Construct;
declare const bus: import('aws-cdk-lib/aws-events').IEventBus;
declare const cluster: import('aws-cdk-lib/aws-rds').DatabaseCluster;
declare const migration: import('cdk-alembic').AlembicMigration;
declare const vpc: import('aws-cdk-lib/aws-ec2').IVpc;
`;

/** A block that opens with the name of its file is that file. */
const WHOLE_FILE = /^\/\/ \S+\.ts$/m;

/** A module in which every line stands where it stands in the block: imports outside, the rest in a construct's constructor. */
function moduleOf({ code }: Block): string {
  const lines = code.split('\n');
  if (WHOLE_FILE.test(lines[0] ?? '')) return code;
  const start = lines.findIndex((line) => line !== '' && !line.startsWith('import '));
  const imports = lines.slice(0, Math.max(start, 1));
  const body = lines.slice(imports.length);
  return `${imports.join('\n')}${start === 0 ? '' : '\n'}export async function block(this: import('constructs').Construct) { ${body.join('\n')}\n}\n`;
}

let folder: string;
beforeEach(() => {
  // Below the root, so that the packages are found.
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache', 'docs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the TypeScript in the documentation compiles', () => {
  // docs/ci.md shows parts of files, which the compiler sees whole; test/ci compares them.
  const all = blocks('ts').filter(({ page }) => page !== 'docs/ci.md');
  expect(all.length).toBeGreaterThan(5);
  for (const block of all) {
    writeFileSync(join(folder, `${block.page.replaceAll('/', '-')}-line-${block.line}.ts`), moduleOf(block));
  }
  writeFileSync(join(folder, 'surroundings.d.ts'), SURROUNDINGS);
  const paths = { 'cdk-alembic': [join(root, 'lib/index.ts')], 'cdk-alembic/client': [join(root, 'lib/client/index.ts')] };
  const compilerOptions = { rootDir: root, paths, noUnusedLocals: false, types: ['node'] };
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [join(folder, '*.ts')], exclude: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const run = spawnSync(join(root, 'node_modules/.bin/tsc'), ['--noEmit', '-p', folder], { encoding: 'utf8', cwd: folder });
  expect(run.stdout + run.stderr).toBe('');
  expect(run.status).toBe(0);
  expect(readdirSync(folder)).toHaveLength(all.length + 2);
});

test('the app in README synthesizes the database and the migration in two stacks', () => {
  const [app] = blocks('ts', ['README.md']).filter(({ code }) => WHOLE_FILE.test(code));
  const bin = join(folder, 'infra/bin');
  mkdirSync(bin, { recursive: true });
  mkdirSync(join(folder, 'back'));
  writeFileSync(join(folder, 'back/main.py'), '');
  writeFileSync(join(bin, 'app.ts'), app?.code ?? '');
  const compilerOptions = { paths: { 'cdk-alembic': [join(root, 'lib/index.ts')] } };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions }));
  const env = { ...process.env, CDK_OUTDIR: join(folder, 'cdk.out') };
  const args = ['--tsconfig', join(folder, 'tsconfig.json'), 'bin/app.ts'];
  const run = spawnSync(join(root, 'node_modules/.bin/tsx'), args, { encoding: 'utf8', cwd: join(folder, 'infra'), env });
  expect(run.stderr).toBe('');
  const { artifacts } = JSON.parse(readFileSync(join(folder, 'cdk.out/manifest.json'), 'utf8'));
  expect(artifacts['shop-backend-prod'].dependencies).toContain('shop-data-prod');
});
