import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun, run } from '../../lib/local/processes/run';

/**
 * The Python tools of the demo and the tests, each in its own virtual environment under `.cache/tools`, so that no tool's packages
 * hide one that is missing in the package under test.
 */
export type Tool =
  | 'ministack'
  | 'uv'
  | 'python-tests'
  | 'cfn-lint'
  | 'awscli'
  | 'reviewers'
  | 'pictures'
  | 'python-cdk'
  | Manager;

/** Other tools that keep a backend's environment. */
export type Manager = 'poetry' | 'pdm' | 'pipenv';

/** Python compiles what it imports of these. Their whole takes a minute: `aws-cdk-lib` alone has 184 MB of sources. */
const MOSTLY_UNUSED: ReadonlySet<Tool> = new Set(['python-cdk', 'cfn-lint', 'poetry', 'pdm', 'pipenv']);

export const projectDirectory = path.resolve(__dirname, '../..');
const toolsDirectory = path.join(projectDirectory, '.cache', 'tools');

/** The Python of a tool's environment. */
export async function toolPython(tool: Tool, onInstall: (tool: Tool) => void = () => {}): Promise<string> {
  const directory = path.join(toolsDirectory, tool);
  const requirements = path.join(__dirname, 'requirements', `${tool}.txt`);
  const python = path.join(directory, 'bin', 'python');
  const stampFile = path.join(directory, 'requirements.sha256');
  // An environment has absolute paths of its Python and of itself: a moved clone needs new ones.
  const stamp = createHash('sha256').update(readFileSync(requirements)).update(directory).digest('hex');
  if (existsSync(python) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return python;

  onInstall(tool);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(toolsDirectory, { recursive: true });
  const folder = mkdtempSync(path.join(toolsDirectory, 'tmp-'));
  const options = { env: { ...process.env, TMPDIR: folder }, folder };
  try {
    if (tool === 'uv') {
      await mustRun(await systemPython(), ['-m', 'venv', directory], options);
      const install = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
      await mustRun(python, [...install, '--requirement', requirements], options);
    } else {
      // uv takes a tenth of pip's time.
      const uv = path.join(path.dirname(await toolPython('uv', onInstall)), 'uv');
      await mustRun(await systemPython(), ['-m', 'venv', '--without-pip', directory], options);
      const compile = MOSTLY_UNUSED.has(tool) ? [] : ['--compile-bytecode'];
      const install = ['pip', 'install', '--quiet', ...compile, '--python', python];
      await mustRun(uv, [...install, '--requirement', requirements], options);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  writeFileSync(stampFile, stamp);
  return python;
}

/** A directory for PATH with only the tool's command, so that it changes no other command. */
export async function commandDirectory(tool: 'uv' | 'cfn-lint', onInstall?: (tool: Tool) => void): Promise<string> {
  const python = await toolPython(tool, onInstall);
  const directory = path.join(path.dirname(path.dirname(python)), 'only-command');
  mkdirSync(directory, { recursive: true });
  const link = path.join(directory, tool);
  if (!existsSync(link)) symlinkSync(path.join(path.dirname(python), tool), link);
  return directory;
}

/** The version of a Python, such as `3.12`. */
export async function pythonVersion(python: string): Promise<string> {
  const code = 'import sys; print("%d.%d" % sys.version_info[:2])';
  return (await mustRun(python, ['-c', code], { env: process.env })).stdout;
}

async function systemPython(): Promise<string> {
  const enough = 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))';
  // A Linux distribution's Python is a sixth faster than one that pyenv has compiled here.
  const ofSystem = process.platform === 'linux' ? ['/usr/bin/python3'] : [];
  for (const name of [...ofSystem, 'python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11']) {
    const found = await run(name, ['-c', enough], { env: process.env }).catch(() => undefined);
    if (found?.code === 0) return name;
  }
  throw new Error('no Python 3.11 or newer found as python3: install one and put it on PATH');
}
