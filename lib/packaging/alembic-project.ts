import { spawnSync } from 'node:child_process';
import { packagePath } from '../package-root';
import { findPython } from './uv';

/** What an Alembic project holds, as lib/packaging/alembic_project.py reads it. */
export interface AlembicProject {
  readonly problems: readonly string[];
  /** Folders that Alembic reads; absolute. */
  readonly paths: readonly string[];
  /** Null when reading alone can't tell: the function's own check has to do. */
  readonly revisions: { readonly count: number; readonly heads: readonly { revision: string; file: string }[] } | null;
}

/** Reads the Alembic project of a directory; undefined when this machine has no Python 3.11 or later to read it with. */
export function readAlembicProject(directory: string): AlembicProject | undefined {
  for (const python of ['python3', 'python', findPython(directory, '>=3.11')]) {
    const project = python && read(python, directory);
    if (project) return project;
  }
  return undefined;
}

function read(python: string, directory: string): AlembicProject | undefined {
  const script = packagePath('lib', 'packaging', 'alembic_project.py');
  // The script needs tomllib, which came with 3.11: an older Python ends with an error here.
  const run = spawnSync(python, ['-I', '-S', script, directory], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return run.status === 0 ? (JSON.parse(run.stdout) as AlembicProject) : undefined;
}

export interface ProjectFindings {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly paths: readonly string[];
}

/** What the user should know of a project before it is packaged. */
export function checkAlembicProject(directory: string): ProjectFindings {
  const project = readAlembicProject(directory);
  if (!project) {
    const unread = `no Python 3.11 or later was found to check the revisions of ${directory} with: the function checks them when it runs`;
    return { errors: [], warnings: [unread], paths: [] };
  }
  const errors = [...project.problems];
  const warnings: string[] = [];
  const { paths, revisions } = project;
  if (revisions && revisions.heads.length > 1) {
    const names = revisions.heads.map(({ revision, file }) => `${revision} (${file})`).join(', ');
    const ids = revisions.heads.map(({ revision }) => revision).join(' ');
    errors.push(
      `the migrations in ${directory} have ${revisions.heads.length} heads: ${names}. ` +
        `Join them there with "uv run alembic merge -m 'merge heads' ${ids}"`,
    );
  }
  if (revisions?.count === 0 && !errors.length) {
    warnings.push(`${paths.slice(1).join(', ')} holds no revision yet: the deploy migrates nothing`);
  }
  return { errors, warnings, paths };
}
