import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Row } from '../row';
import { type Backend, sampleWith300 } from '../world/backends';
import { requirements, uvPipInstall } from '../world/packages';
import { packageBackend } from '../world/packaging';
import type { World } from '../world/world';

/** Packages a backend where nothing is known of it but what uv's cache holds. */
export async function firstPackaging(world: World, backend: Backend): Promise<number> {
  const fresh = world.newPath('first');
  const { ms } = await packageBackend(world, backend, path.join(fresh, 'cdk.out'), { XDG_CACHE_HOME: path.join(fresh, 'cache') });
  return ms;
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
    const install = async (...more: string[]): Promise<number> => {
      const target = world.newPath('installed');
      const { command, args } = uvPipInstall(world, lock, target);
      const { ms } = await world.timed({ command, args: [...args, ...more] });
      if (!existsSync(path.join(target, 'alembic'))) throw new Error('nothing was installed');
      return ms;
    };
    return [
      { name: 'cdk-alembic', run: () => firstPackaging(world, backend) },
      { name: 'uv pip install', run: () => install() },
      { name: 'uv pip install, with bytecode', run: () => install('--compile-bytecode', '--python', world.python) },
    ];
  },
};
