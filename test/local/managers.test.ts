import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Manager, toolPython } from '../../examples/local-aws';
import type { GraphFacts } from '../../lib/contract/facts';
import { findPython } from '../../lib/local/python/find';
import { readGraph } from '../../lib/local/python/observe';
import { withObserver } from '../../lib/local/python/with-observer';
import { needed } from '../production/environment';
import { Project } from './project';

/* Backends of Poetry, PDM and Pipenv, with the real tools. */

/** How a backend of each tool is declared and installed. */
const DECLARED: Record<Manager, { readonly files: Record<string, string>; readonly install: string[][] }> = {
  poetry: {
    files: { 'pyproject.toml': '[project]\nname = "shop"\nversion = "0"\n\n[tool.poetry]\npackage-mode = false\n' },
    install: [['lock'], ['install']],
  },
  pdm: {
    files: {
      'pyproject.toml':
        '[project]\nname = "shop"\nversion = "0"\nrequires-python = ">=3.11"\n\n[tool.pdm]\ndistribution = false\n',
    },
    install: [['config', '--local', 'venv.in_project', 'false'], ['lock'], ['install']],
  },
  pipenv: {
    files: {
      Pipfile: '[packages]\n',
      'Pipfile.lock': JSON.stringify({
        _meta: { hash: { sha256: '' }, 'pipfile-spec': 6, requires: {}, sources: [] },
        default: {},
        develop: {},
      }),
    },
    install: [['install', '--ignore-pipfile']],
  },
};

/** PDM and Pipenv are for the soak tests: find-python.test.ts has what stands for them. */
const MANAGERS = (Object.keys(DECLARED) as Manager[]).filter((name) => name === 'poetry' || process.env.KINDS === 'all');

describe.each(MANAGERS)('a backend of %s', (manager) => {
  const variables = process.env;
  let project: Project;
  let home: string;
  let command: string;

  beforeAll(async () => {
    command = path.join(path.dirname(await toolPython(manager)), manager);
    project = new Project();
    home = realpathSync(mkdtempSync(path.join(tmpdir(), 'home-')));
    const { RUNNER_PYTHON, TMPDIR } = variables;
    const PATH = [path.dirname(command), '/usr/bin', '/bin'].join(path.delimiter);
    process.env = { PATH, RUNNER_PYTHON, TMPDIR, HOME: home, PIPENV_VERBOSITY: '-1', PDM_CHECK_UPDATE: 'false' };
    for (const [name, text] of Object.entries(DECLARED[manager].files)) project.write(name, text);
    project.write('migrations/versions/b2.py', 'import only_here\nrevision = "b2"\ndown_revision = "a1"\n');
  });
  afterAll(() => {
    process.env = variables;
    project.remove();
    rmSync(home, { recursive: true });
  });

  it('that is not installed is not installed by us, and the error says how', () => {
    const before = files(project.directory);
    expect(() => findPython(project.directory)).toThrow(
      expect.objectContaining({
        code: 'python_not_found',
        message: expect.stringContaining(`has no environment for ${project.directory}`),
        next: expect.stringContaining(`\`${manager} install`),
      }),
    );
    expect(files(project.directory)).toEqual(before);
  });

  it('runs with its environment outside of its folder, and leaves nothing there', async () => {
    const env = process.env;
    for (const words of DECLARED[manager].install) execFileSync(command, words, { cwd: project.directory, env, stdio: 'pipe' });
    addPackages(findPython(project.directory)[0] as string);
    // Neither poetry nor pipenv may take this one for the project's.
    const other = path.join(home, 'other');
    execFileSync('python3', ['-m', 'venv', '--without-pip', other]);
    process.env.VIRTUAL_ENV = other;

    const before = files(project.directory);
    expect(await readRevisions()).toMatchObject({ heads: ['b2'] });
    expect(files(project.directory)).toEqual(before);
  });

  /** Alembic, and a module that no other environment has. */
  function addPackages(python: string): void {
    const packages = (of: string) =>
      execFileSync(of, ['-c', 'import sysconfig; print(sysconfig.get_paths()["purelib"])'], { encoding: 'utf8' }).trim();
    const own = packages(python);
    expect(path.relative(home, own)).not.toMatch(/^\.\./);
    writeFileSync(path.join(own, 'only_here.py'), '');
    writeFileSync(path.join(own, 'backend.pth'), packages(needed('RUNNER_PYTHON')));
  }

  function readRevisions(): Promise<GraphFacts> {
    const python = findPython(project.directory);
    return withObserver({ project: project.directory, python, database: 'own' }, ({ observer }) => readGraph(observer));
  }
});

/** Without bytecode. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => !file.includes('__pycache__'));
}
