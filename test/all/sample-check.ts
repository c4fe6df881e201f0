import { cpSync } from 'node:fs';
import path from 'node:path';
import { type Postgres, projectDirectory } from '../../examples/local-aws';
import { type Check, type CheckContext, pytestCheck } from './checks';

/** The sample backend's own tests, in a copy with its own dependencies and nothing of ours. */
export function sampleCheck(context: CheckContext, postgres: Postgres): Check {
  const directory = path.join(context.folder, 'sample');
  const env = {
    ...context.env,
    POSTGRES_HOST: postgres.host,
    POSTGRES_PORT: String(postgres.port),
    POSTGRES_USER: postgres.user,
    POSTGRES_PASSWORD: postgres.password,
    POSTGRES_DB: 'postgres',
  };
  const check = pytestCheck({ ...context, env }, 'sample', 'uv', ['run', '--quiet', 'pytest', '-q'], directory);
  return (say) => {
    cpSync(path.join(projectDirectory, 'examples/template-saas/back'), directory, {
      recursive: true,
      filter: (source) => !['.venv', '__pycache__'].includes(path.basename(source)),
    });
    return check(say);
  };
}
