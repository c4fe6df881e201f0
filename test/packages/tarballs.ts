import path from 'node:path';
import { mustRun, neutralEnvironment } from '../../examples/local-aws';
import { cachedSafeAlembic } from '../local/installed-command';
import { cdkAlembic } from './cdk-alembic';

/** Packs both npm packages into a folder. @returns the paths of `cdk-alembic` and of `safe-alembic` */
export async function packNpm(folder: string): Promise<[string, string]> {
  const pack = async (cwd: string): Promise<string> => {
    const args = ['pack', '--silent', '--pack-destination', folder];
    const { stdout } = await mustRun('npm', args, { env: neutralEnvironment(process.env), cwd });
    return path.join(folder, stdout.trim());
  };
  return [await pack((await cdkAlembic()).npm), await pack(await cachedSafeAlembic())];
}
