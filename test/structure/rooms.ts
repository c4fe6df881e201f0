/** Which rooms a room may import from. A file belongs to the longest of these paths that it lies below. */
export type Rooms = Readonly<Record<string, readonly string[]>>;

/** Rooms that every room above them may import from. */
const ALWAYS = ['lib/contract', 'lib/text', 'lib/cache.ts', 'lib/node-program.ts', 'lib/package-root.ts'];

export const TYPESCRIPT: Rooms = {
  // The sample's CDK app, which cdk.json names.
  'bin/app.ts': ['lib/local', 'examples'],
  bin: ['lib/cli/migrate-invoke', 'lib/cli/migrate-package', 'lib/cli/safe-alembic', 'lib/cli', 'package.json'],
  scripts: ['lib/contract', 'lib/local', 'examples', 'package.json'],
  // The pages of the rules show the revisions that the tests review.
  'scripts/site': ['lib/review', 'lib/local', 'lib/package-root.ts', 'test/review/examples', 'package.json'],

  'lib/cli/migrate-invoke': ['lib/cli/answer', 'lib/cli/screen', 'lib/cli', 'lib/client', ...ALWAYS],
  'lib/cli/migrate-package': ['lib/cli/screen', 'lib/cli', 'lib/packaging', ...ALWAYS],
  'lib/cli/safe-alembic': ['lib/cli/answer', 'lib/cli/screen', 'lib/cli', 'lib/review', 'lib/local', 'lib/client', ...ALWAYS],
  'lib/cli/answer': ['lib/cli/screen', 'lib/cli', 'lib/client', ...ALWAYS],
  'lib/cli/screen': ALWAYS,
  // What both commands share: options, exit codes, how they run as a process.
  'lib/cli': ['lib/client', 'lib/local', 'lib/contract', 'lib/text'],

  'lib/review': ['lib/data-loss', 'lib/sql', 'lib/local', ...ALWAYS],
  'lib/local': ALWAYS,
  'lib/client': ['lib/contract'],

  'lib/index.ts': ['lib/constructs'],
  'lib/constructs': ['lib/packaging', ...ALWAYS],
  'lib/packaging': ['lib/data-loss', ...ALWAYS],
  // What a revision destroys: found by the review, and when a backend is packaged.
  'lib/data-loss': ['lib/sql', 'lib/contract'],
  'lib/sql': [],

  'lambda/on-deploy': ['lib/client', 'lib/contract'],
  // Its custom resource is of the same kind.
  'lambda/tenants': ['lambda/on-deploy', 'lib/client', 'lib/contract'],

  'lib/contract': [],
  'lib/text': [],
  'lib/cache.ts': [],
  'lib/node-program.ts': ['lib/package-root.ts'],
  'lib/package-root.ts': [],
};

/** What the runner's rooms share, from the top down. */
const RUNNER = ['run', 'production', 'drift', 'statistics', 'catalog', 'project', 'database', 'connection', 'protocol'].map(
  (room) => `cdk_alembic/${room}`,
);
const below = (room: string) => RUNNER.slice(RUNNER.indexOf(`cdk_alembic/${room}`) + 1);

/** Below lambda/migrate. */
export const PYTHON: Rooms = {
  'cdk_alembic/__init__.py': [],
  // The entries, and what they hand a request to.
  cdk_alembic: ['cdk_alembic/tenants', ...RUNNER],
  'cdk_alembic/tenants': RUNNER,
  'cdk_alembic/run': below('run'),
  'cdk_alembic/production': below('production'),
  'cdk_alembic/drift': below('drift'),
  'cdk_alembic/statistics': [],
  'cdk_alembic/catalog': [],
  'cdk_alembic/project': below('project'),
  'cdk_alembic/database': below('database'),
  'cdk_alembic/connection': below('connection'),
  'cdk_alembic/protocol': [],

  // The observer uses the runner; never the other way around.
  cdk_alembic_local: ['create', 'replay', 'replay_cache', 'scratch', 'rewrite', 'source', 'upgrade_sql']
    .map((room) => `cdk_alembic_local/${room}`)
    .concat('cdk_alembic_local/per_request.py', RUNNER),
  'cdk_alembic_local/create': ['cdk_alembic_local/scratch', 'cdk_alembic_local/source', ...RUNNER],
  'cdk_alembic_local/replay_cache': RUNNER,
  'cdk_alembic_local/replay': [
    'cdk_alembic_local/replay_cache',
    'cdk_alembic_local/scratch',
    'cdk_alembic_local/source',
    'cdk_alembic_local/waiting.py',
    ...RUNNER,
  ],
  'cdk_alembic_local/scratch': ['cdk_alembic_local/source', ...RUNNER],
  'cdk_alembic_local/rewrite': ['cdk_alembic_local/source', ...RUNNER],
  'cdk_alembic_local/source': [
    'cdk_alembic_local/upgrade_sql',
    'cdk_alembic_local/per_request.py',
    'cdk_alembic_local/waiting.py',
    ...RUNNER,
  ],
  'cdk_alembic_local/per_request.py': [],
  // Both rendering and the replay run revisions.
  'cdk_alembic_local/waiting.py': [],
  // Packaging runs it with any Python, without Alembic.
  'cdk_alembic_local/upgrade_sql': ['cdk_alembic_local/upgrade_sql/interpreter', 'cdk_alembic_local/per_request.py'],
  'cdk_alembic_local/upgrade_sql/interpreter': [
    'cdk_alembic_local/upgrade_sql/rendering',
    'cdk_alembic_local/upgrade_sql/values.py',
  ],
  'cdk_alembic_local/upgrade_sql/rendering': ['cdk_alembic_local/upgrade_sql/values.py'],
  'cdk_alembic_local/upgrade_sql/values.py': [],
};

/** Packages that only these files or folders may import. */
export const PACKAGES: Rooms = {
  'aws-cdk-lib': ['lib/constructs', 'lib/index.ts'],
  constructs: ['lib/constructs', 'lib/index.ts'],
};

/** The room of a file; undefined: no table names it. */
export function roomOf(file: string, rooms: Rooms): string | undefined {
  return Object.keys(rooms)
    .filter((room) => isBelow(file, room))
    .sort((a, b) => b.length - a.length)[0];
}

export function isBelow(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}
