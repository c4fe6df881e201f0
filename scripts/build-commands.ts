/*
 * Builds the commands: `tsx scripts/build-commands.ts FOLDER`. Code that only some runs need is in separate files, loaded on demand.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Metafile, type Plugin, transform } from 'esbuild';

const PROJECT = path.join(__dirname, '..');

/** The part of `migrate-invoke` for many tenants. Built alone: shared chunks would add a sixth to the CPU time of every other start. */
const TENANTS = 'migrate-invoke-tenants';

/** For both passes: the oldest Node that runs the commands. */
export const NODE = { platform: 'node', target: 'node20' } as const;

/**
 * Builds a command into a folder.
 *
 * One file without splitting takes a fifth more CPU time until the first request. esbuild splits ES modules only, but this code and its
 * dependencies use `require` and `__dirname`, so the split files are turned into CommonJS afterwards: `--help` takes a tenth less CPU time
 * than as ES modules (141 ms, not 156). Each command is built alone: what two of them shared would be many small files.
 *
 * @param name of the file in `bin/`
 */
export async function buildCommand(name: string, outdir: string): Promise<Metafile> {
  const { outputFiles, metafile } = await build({
    ...NODE,
    absWorkingDir: PROJECT,
    entryPoints: [`bin/${name}.ts`],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    // The SDK's ES modules: of its CommonJS nothing can be left out.
    mainFields: ['module', 'main'],
    external: ['libpg-query', 'squawk-cli'],
    plugins: [tenantsElsewhere],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  await mkdir(outdir, { recursive: true });
  for (const { path: file, text } of outputFiles) {
    // Node's own import() would load its whole loader of ES modules.
    const { code } = await transform(text, { ...NODE, format: 'cjs', minify: true, supported: { 'dynamic-import': false } });
    await writeFile(file, code, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
  }
  return metafile;
}

/** `migrate-invoke` imports the part for many tenants from its own file. */
const tenantsElsewhere: Plugin = {
  name: TENANTS,
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/tenants\/main\.js$/ }, () => ({ path: `./${TENANTS}.js`, external: true }));
  },
};

async function buildAll(outdir: string): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  for (const name of ['migrate-invoke', TENANTS, 'migrate-package', 'safe-alembic']) await buildCommand(name, outdir);
}

if (require.main === module) {
  buildAll(path.resolve(process.argv[2] as string)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
