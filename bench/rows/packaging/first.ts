import { appendFileSync, cpSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Row } from '../../row';
import { type Backend, sampleWith300 } from '../../test-bed/backends';
import { requirements, uvPipInstall } from '../../test-bed/packages';
import { packageBackend } from '../../test-bed/packaging';
import type { TestBed } from '../../test-bed/test-bed';

/** Packages a backend where nothing is known of it but what uv's cache holds. */
export async function firstPackaging(testBed: TestBed, backend: Backend, env: NodeJS.ProcessEnv = {}): Promise<number> {
  const fresh = testBed.newPath('first');
  const nothing = { XDG_CACHE_HOME: path.join(fresh, 'cache') };
  const { ms } = await packageBackend(testBed, backend, path.join(fresh, 'cdk.out'), { ...nothing, ...env });
  return ms;
}

/** Packages the backend again, each time with one changed revision. */
function packagingOfAnotherRevision(testBed: TestBed, backend: Backend): () => Promise<number> {
  const directory = testBed.newPath('another-revision');
  cpSync(backend.directory, directory, { recursive: true });
  const versions = path.join(directory, 'alembic', 'versions');
  const files = readdirSync(versions).filter((name) => name.endsWith('.py'));
  const revision = path.join(versions, files.sort().at(-1) as string);
  const kept = { XDG_CACHE_HOME: path.join(testBed.newPath('kept'), 'cache') };
  return () => {
    appendFileSync(revision, '# changed\n');
    return firstPackaging(testBed, { ...backend, directory }, kept);
  };
}

export const packagingFirst: Row = {
  name: 'packaging-first',
  title: "first packaging: only uv's cache is filled",
  unit: 'ms',
  runs: 5,
  // The package has bytecode, so the installation that it is compared with does, too.
  goals: [{ atMostTimes: 1.3, of: 'uv pip install, with bytecode' }],
  async prepare(testBed) {
    const backend = await sampleWith300(testBed);
    const lock = await requirements(testBed, backend);
    const install = async (more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<number> => {
      const target = testBed.newPath('installed');
      const { command, args } = uvPipInstall(testBed, lock, target);
      const { ms } = await testBed.timed({ command, args: [...args, ...more], env });
      if (!existsSync(path.join(target, 'alembic'))) throw new Error('nothing was installed');
      return ms;
    };
    const emptyCache = () => ({ UV_CACHE_DIR: testBed.newPath('uv-cache') });
    return [
      { name: 'cdk-alembic', run: () => firstPackaging(testBed, backend) },
      { name: 'uv pip install', run: () => install() },
      { name: 'uv pip install, with bytecode', run: () => install(['--compile-bytecode', '--python', testBed.python]) },
      { name: 'cdk-alembic, after another revision', run: packagingOfAnotherRevision(testBed, backend) },
      { name: 'cdk-alembic, empty uv cache', run: () => firstPackaging(testBed, backend, emptyCache()) },
      { name: 'uv pip install, empty uv cache', run: () => install([], emptyCache()) },
    ];
  },
};
