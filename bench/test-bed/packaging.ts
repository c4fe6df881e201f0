import path from 'node:path';
import { projectDirectory } from '../../examples/local-aws';
import type { Backend } from './backends';
import type { TestBed } from './test-bed';

export interface Packaged {
  /** The folder that becomes the zip. */
  readonly asset: string;
  /** How long the construct's packaging took, from the check of the project to the staged folder. */
  readonly ms: number;
}

/** Packages a backend in a separate process, like one synth, into the cloud assembly `outdir`. */
export async function packageBackend(
  testBed: TestBed,
  backend: Backend,
  outdir: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Packaged> {
  const script = path.join(__dirname, '..', 'apps', 'package-backend.ts');
  const args = ['--import', require.resolve('tsx'), script];
  const about = [backend.directory, outdir, testBed.architecture, testBed.pythonVersion];
  const { stdout } = await testBed.run({ command: process.execPath, args: [...args, ...about], cwd: projectDirectory, env });
  return JSON.parse(stdout.split('\n').at(-1) as string);
}
