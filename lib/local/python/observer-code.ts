import { readdirSync, readFileSync } from 'node:fs';
import { packagePath } from '../../package-root';

const PACKAGES = ['cdk_alembic', 'cdk_alembic_local'];
const BOOTSTRAP = ['cdk_alembic_local', 'bootstrap.py'];

/** The program for `python -c`. */
export function bootstrap(): string {
  return readFileSync(packagePath('lambda', 'migrate', ...BOOTSTRAP), 'utf8');
}

/** The modules of the observer and the runner, by path. */
export function observerCode(): Record<string, string> {
  const code: Record<string, string> = {};
  for (const name of PACKAGES) {
    const folder = packagePath('lambda', 'migrate', name);
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((entry) => entry.endsWith('.py'))) {
      code[`${name}/${file}`] = readFileSync(`${folder}/${file}`, 'utf8');
    }
  }
  delete code[BOOTSTRAP.join('/')];
  return code;
}
