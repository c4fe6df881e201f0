/*
 * Prints docs/api.md, the reference of the constructs: `npm run api` writes it. Argument: the folder of the npm package `cdk-alembic`.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mustRun } from '../../lib/local/processes/run';
import { cached } from './cached';
import { PROJECT } from './stage';

/** What the reference names types of. */
const PEERS = ['aws-cdk-lib', 'constructs'];

/** The part of jsii-docgen that is used here. */
interface Docgen {
  readonly Documentation: {
    forAssembly(name: string, folder: string): Promise<{ toMarkdown(options: object): Promise<{ render(): string }> }>;
  };
  readonly Language: { readonly TYPESCRIPT: unknown };
}

/** The reference as Markdown. */
async function apiReference(staged: string): Promise<string> {
  const { Documentation, Language } = await docgen();
  const folder = mkdtempSync(path.join(tmpdir(), 'assemblies-'));
  try {
    // It looks for assemblies in all subfolders, and follows no link.
    const packages = [staged, ...PEERS.map((name) => path.join(PROJECT, 'node_modules', name))];
    for (const source of packages) {
      const target = path.join(folder, path.basename(source));
      mkdirSync(target);
      const files = readdirSync(source).filter((file) => file === 'package.json' || file.startsWith('.jsii'));
      for (const file of files) cpSync(path.join(source, file), path.join(target, file));
    }
    const documentation = await Documentation.forAssembly('cdk-alembic', folder);
    const text = (await documentation.toMarkdown({ language: Language.TYPESCRIPT })).render();
    return `<!-- Made by \`npm run api\`. -->\n\n${text.trimEnd()}\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** jsii-docgen, which is installed when it is first needed: nothing else uses its 50 MB. */
async function docgen(): Promise<Docgen> {
  const folder = await cached('docgen', ['scripts/packages/docgen'], async (target) => {
    cpSync(path.join(__dirname, 'docgen'), target, { recursive: true });
    await mustRun('npm', ['ci', '--no-audit', '--no-fund'], { env: process.env, cwd: target });
  });
  return createRequire(path.join(folder, 'package.json'))('jsii-docgen') as Docgen;
}

apiReference(path.resolve(process.argv[2] ?? ''))
  .then((text) => process.stdout.write(text))
  .catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
