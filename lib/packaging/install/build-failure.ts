import { PackagingError } from '../errors';
import { UvFailed } from '../uv';

const MAX_REASON_LENGTH = 300;

/** What uv names in backquotes, if its path on this machine: `shop @ file:///srv/shop`, or just the path. */
const LOCAL = /^(?:[\w.-]+ @ )?(?:file:\/\/)?(\/.*)$/;

/**
 * The user's error if the build of their own code failed; undefined for any other error.
 *
 * @param projects those that may have been built: uv names only some
 */
export function ownBuildFailure(error: unknown, projects: readonly string[]): PackagingError | undefined {
  if (!(error instanceof UvFailed)) return undefined;
  const { stderr } = error;
  if (!/build backend returned an error|`build-system\.requires`/.test(stderr)) return undefined;
  const [, named] = /Failed to build `([^`]+)`/.exec(stderr) ?? [];
  const [, path] = (named && LOCAL.exec(named)) || [];
  if (named && !path) return undefined;
  return buildFailed(path ?? projects.join(' or '), stderr);
}

/** The distribution that uv could not build, and its version if uv names it. */
export function failedDistribution(stderr: string): { readonly name?: string; readonly version?: string } {
  const [, name, version] = /Failed to (?:download and )?build `?([A-Za-z0-9][\w.-]*?)(?:==([^`\s]+)| @|@|`)/.exec(stderr) ?? [];
  return { name, version };
}

/** The user's error for a folder whose code is not on this machine. */
export function notCheckedOut(project: string, what: 'is empty' | 'does not exist'): PackagingError {
  return new PackagingError(
    'invalid_file',
    `${project}, on which the backend depends, ${what}: check out its code, for a git submodule with "git submodule update --init"`,
  );
}

/** @param stderr of uv and the build backend */
export function buildFailed(project: string, stderr: string): PackagingError {
  return new PackagingError(
    'build_failed',
    `${project} can't be built (${reasonOf(stderr)}): change it until "uv build --wheel" works there`,
  );
}

/** The last line of an output that is an error. */
export function errorLine(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.filter((line) => /^(?:[\w.]*(?:Error|Exception)|error|fatal)\b:? /.test(line)).at(-1) ?? '';
}

/** One line without a traceback: the backend's error, or what it wrote last, or uv's own reason. */
function reasonOf(stderr: string): string {
  const [text = ''] = stderr.split(/\n\s*hint: /);
  // uv shows the backend's output as it runs, or quotes it.
  const [, ...quoted] = text.split(/^\s*\[std(?:out|err)\]$/m);
  const output = quoted.at(-1) ?? text.split(/^error: .*\n {2}cause: /m)[0] ?? '';
  const reason = errorLine(output) || lastLine(output) || lastLine(text);
  return reason.replace(/^(?:error|cause): /, '').slice(0, MAX_REASON_LENGTH);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
