import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { listFiles } from './sources';

/** Used by every run, no matter what imports them. */
const ALWAYS = ['alembic', 'sqlalchemy', 'greenlet', 'psycopg', 'psycopg2', 'asyncpg', 'pg8000'];

/** Dialects of other databases, a fifth of SQLAlchemy. */
const OTHER_DIALECTS = /^sqlalchemy\/dialects\/(?:mysql|mssql|oracle|sqlite)\//;

/**
 * The modules of the dependencies that a migration probably imports: files below `sitePackages`. What it misses is imported all the
 * same, from its source; bytecode of all that a backend serves its users with would take half of the zip.
 */
export function reachedModules(backend: string, alembicPaths: readonly string[], sitePackages: string): string[] {
  const wanted = new Set([...ALWAYS, ...importedBy(backend, alembicPaths)]);
  const packages = new Set<string>();
  const distributions = readDistributions(sitePackages);
  const queue = [...wanted];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const { modules, requirements } of distributions) {
      if (!modules.includes(name)) continue;
      for (const module of modules) packages.add(module);
      for (const required of requirements) {
        const modulesOf = distributions.find((other) => other.name === required)?.modules ?? [];
        for (const module of modulesOf) if (!wanted.has(module) && wanted.add(module)) queue.push(module);
      }
    }
  }
  return [...packages].flatMap((name) => {
    const path = join(sitePackages, name);
    if (existsSync(`${path}.py`)) return [`${name}.py`];
    if (!existsSync(path) || !statSync(path).isDirectory()) return [];
    const files = listFiles(path).map((file) => `${name}/${file}`);
    return files.filter((file) => file.endsWith('.py') && !OTHER_DIALECTS.test(file));
  });
}

interface Distribution {
  readonly name: string;
  /** Top-level modules and packages. */
  readonly modules: readonly string[];
  readonly requirements: readonly string[];
}

function readDistributions(sitePackages: string): Distribution[] {
  const folders = readdirSync(sitePackages).filter(
    (name) => name.endsWith('.dist-info') && existsSync(join(sitePackages, name, 'RECORD')),
  );
  return folders.map((folder) => {
    const metadata = readFileSync(join(sitePackages, folder, 'METADATA'), 'utf8');
    const record = readFileSync(join(sitePackages, folder, 'RECORD'), 'utf8');
    const files = record.split('\n').map((line) => line.split(/[/,]/, 1)[0] as string);
    const modules = new Set(
      files.filter((name) => /^(?!bin$|__pycache__$)\w+(?:\.py)?$/.test(name)).map((name) => name.replace(/\.py$/, '')),
    );
    const requirements = [...metadata.matchAll(/^Requires-Dist: *([\w.-]+)(.*)$/gm)]
      .filter(([, , rest]) => !/\bextra\s*==/.test(rest as string))
      .map(([, name]) => normalized(name as string));
    return { name: normalized(folder.split('-', 1)[0] as string), modules: [...modules], requirements };
  });
}

/** Names of the first parts of all that env.py, the revisions and the backend's modules behind them import. */
function importedBy(backend: string, alembicPaths: readonly string[]): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const modules = new Set<string>();
  const queue = alembicPaths.flatMap((path) => pythonBelow(backend, path));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const module of importsOf(readFileSync(join(backend, file), 'utf8'))) {
      const [first = ''] = module.split('.');
      if (first !== '' && modules.has(module)) continue;
      modules.add(module);
      found.add(first);
      queue.push(...modulesOf(backend, module));
      // A relative import: whatever lies beside.
      if (first === '') queue.push(...pythonBelow(backend, join(backend, file, '..')));
    }
  }
  return found;
}

function importsOf(source: string): string[] {
  const statements = source.matchAll(/^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t(]+([\w \t,]*)|import[ \t]+([\w., \t]+))/gm);
  return [...statements].flatMap(([, from, names, modules]) => {
    const listed = (names ?? modules ?? '').split(',').map((name) => name.trim().split(/\s/, 1)[0] as string);
    return from === undefined ? listed : [from, ...listed.map((name) => `${from}.${name}`)];
  });
}

/** The backend's files that importing a module runs. */
function modulesOf(backend: string, module: string): string[] {
  const parts = module.split('.');
  return parts.flatMap((_, index) => {
    const path = parts.slice(0, index + 1).join('/');
    return ['', 'src/']
      .flatMap((root) => [`${root}${path}.py`, `${root}${path}/__init__.py`])
      .filter((file) => existsSync(join(backend, file)));
  });
}

function pythonBelow(backend: string, path: string): string[] {
  const inside = relative(backend, path).split(sep).join('/');
  return listFiles(path)
    .filter((file) => file.endsWith('.py'))
    .map((file) => (inside ? `${inside}/${file}` : file));
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}
