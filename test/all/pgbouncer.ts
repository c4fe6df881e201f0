import { debianPackage, findCommand } from './debian';

const SYSTEM = ['/usr/sbin', '/usr/local/sbin'];

/** Installs the pooler of the runner's tests, where this may be done without asking anybody. Without it those tests say that they were skipped. */
export async function pgbouncer(folder: string, onInstall: (tool: string) => void): Promise<void> {
  const find = () => findCommand(['pgbouncer'], [process.env.PATH, ...SYSTEM].join(':'));
  const { found } = await debianPackage('pgbouncer', find, folder, onInstall);
  if (!found) console.log('NOT TESTED: PgBouncer is not installed (Debian: apt-get install pgbouncer)');
}
