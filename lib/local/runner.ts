import { tried } from './git';

/** The files that name a package's dependencies, in all folders. */
const MANIFESTS = [':(top,glob)**/package.json', ':(top,glob)**/pyproject.toml', ':(top,glob)**/requirements*.txt'];

/** In package.json, `"cdk-alembic": {` has settings; a dependency has a version. */
const DEPENDENCY = '"cdk-alembic" *: *"|^[ \'"]*cdk[-_]alembic *([=<>~!@;\'",[]|$)';

/** Whether something in the project's repository depends on cdk-alembic, so that its runner migrates production. */
export async function dependsOnRunner(project: string): Promise<boolean> {
  const found = await tried(project, 'grep', '--untracked', '-lE', '-e', DEPENDENCY, '--', ...MANIFESTS);
  return !!found?.trim();
}
