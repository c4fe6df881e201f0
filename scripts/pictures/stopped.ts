import path from 'node:path';
import { type LocalAws, type NewMigration, projectDirectory } from '../../examples/local-aws';
import { COLUMNS } from './runs';

const DROP: NewMigration = {
  revision: 'c3d4e5f6a7b8',
  message: 'Drop notifications',
  upgrade: ['op.drop_table("notifications")'],
};

/** A revision that destroys data stops `migrate-invoke`. */
export const STOPPED = { picture: 'stopped.svg', stage: 'dev', command: 'migrate-invoke --stage dev', revision: DROP } as const;

/**
 * Runs `migrate-invoke` on a terminal, against a deployed stage.
 *
 * @returns what the terminal shows, colors included
 */
export async function stopped(aws: LocalAws): Promise<string> {
  const [program = '', ...options] = STOPPED.command.split(' ');
  const command = [process.execPath, path.join(projectDirectory, `dist/bin/${program}.js`), ...options];
  const terminal = [path.join(__dirname, 'terminal.py'), String(COLUMNS), ...command, '--no-progress'];
  const { code, output, stdout } = await aws.run('python3', terminal);
  if (code !== 0) throw new Error(output);
  return stdout;
}
