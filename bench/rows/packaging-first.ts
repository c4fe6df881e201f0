import { appendFileSync, cpSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Row } from '../row';
import { type Backend, sampleWith300 } from '../world/backends';
import { requirements, uvPipInstall } from '../world/packages';
import { packageBackend } from '../world/packaging';
import type { World } from '../world/world';

/** Packages a backend where nothing is known of it but what uv's cache holds. */
export async function firstPackaging(world: World, backend: Backend, env: NodeJS.ProcessEnv = {}): Promise<number> {
  const fresh = world.newPath('first');
  const nothing = { XDG_CACHE_HOME: path.join(fresh, 'cache') };
  const { ms } = await packageBackend(world, backend, path.join(fresh, 'cdk.out'), { ...nothing, ...env });
  return ms;
}

/** Packages the backend where it has been packaged before, each time with one revision that is another one. */
function packagingOfAnotherRevision(world: World, backend: Backend): () => Promise<number> {
  const directory = world.newPath('another-revision');
  cpSync(backend.directory, directory, { recursive: true });
  const versions = path.join(directory, 'alembic', 'versions');
  const files = readdirSync(versions).filter((name) => name.endsWith('.py'));
  const revision = path.join(versions, files.sort().at(-1) as string);
  const kept = { XDG_CACHE_HOME: path.join(world.newPath('kept'), 'cache') };
  return () => {
    appendFileSync(revision, '# changed\n');
    return firstPackaging(world, { ...backend, directory }, kept);
  };
}

export const packagingFirst: Row = {
  name: 'packaging-first',
  title: "packaging, first: nothing but uv's cache is there",
  unit: 'ms',
  runs: 5,
  goals: [{ atMostTimes: 1.3, of: 'uv pip install' }],
  async prepare(world) {
    const backend = await sampleWith300(world);
    const lock = await requirements(world, backend);
    const install = async (more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<number> => {
      const target = world.newPath('installed');
      const { command, args } = uvPipInstall(world, lock, target);
      const { ms } = await world.timed({ command, args: [...args, ...more], env });
      if (!existsSync(path.join(target, 'alembic'))) throw new Error('nothing was installed');
      return ms;
    };
    const emptyCache = () => ({ UV_CACHE_DIR: world.newPath('uv-cache') });
    return [
      { name: 'cdk-alembic', run: () => firstPackaging(world, backend) },
      { name: 'uv pip install', run: () => install() },
      { name: 'uv pip install, with bytecode', run: () => install(['--compile-bytecode', '--python', world.python]) },
      { name: 'cdk-alembic, after another revision', run: packagingOfAnotherRevision(world, backend) },
      { name: 'cdk-alembic, all is downloaded', run: () => firstPackaging(world, backend, emptyCache()) },
      { name: 'uv pip install, all is downloaded', run: () => install([], emptyCache()) },
    ];
  },
};
