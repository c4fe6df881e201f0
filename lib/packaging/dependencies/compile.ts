import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WITHOUT_COMPILERS } from '../install/compiled';
import { withAllFromGit } from '../install/from-git';
import { type FunctionPlatform, uvTarget } from '../platform';
import { findPython, uv } from '../uv';
import type { Dependencies } from './parsing/requirement';
import { parseRequirements } from './parsing/requirements-file';
import type { Selection } from './source';

/** Resolves requirements files or a pyproject.toml that are not fully pinned, for the function's platform. */
export function compileRequirements(
  directory: string,
  input: { readonly file: string } | { readonly lines: readonly string[] },
  { groups, extras, without, wheels }: Selection,
  platform: FunctionPlatform,
): Dependencies {
  const folder = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  const excluded = join(folder, 'excluded.txt');
  const file = 'file' in input ? input.file : join(folder, 'requirements.txt');
  try {
    if ('lines' in input) writeFileSync(file, input.lines.map((line) => `${line}\n`).join(''));
    const chosen = [...groups.flatMap((group) => ['--group', group]), ...extras.flatMap((extra) => ['--extra', extra])];
    const own = wheels ? ['--find-links', wheels] : [];
    const where = uvTarget(platform);
    // uv would download a Python of the function's version, or try for ten seconds if it can't; any version resolves the same.
    const python = findPython(directory, platform.pythonVersion) ?? findPython(directory, '>=3.11');
    const resolver = python ? ['--python', python] : [];
    const quiet = ['--quiet', '--no-header', '--no-annotate', '--emit-index-url', '--emit-find-links'];
    // As in the installation: a distribution that requires a compiler for its metadata could not be built either.
    const text = withAllFromGit((also) => {
      writeFileSync(excluded, [...without, ...also].map((name) => `${name}\n`).join(''));
      const options = [...chosen, ...where, ...resolver, ...own, ...quiet, '--excludes', excluded];
      return uv(directory, ['pip', 'compile', file, ...options], WITHOUT_COMPILERS);
    });
    const { requirements, projects, options } = parseRequirements(text, directory);
    return { requirements, projects: projects.filter((path) => path !== directory), options };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
