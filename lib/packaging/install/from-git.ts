import { option } from '../code-in-messages';
import { normalized } from '../dependencies/parsing/requirement';
import { PackagingError } from '../errors';
import { UvFailed } from '../uv';
import { failedDistribution } from './build-failure';

/** What uv could not fetch from git. uv stops at the first distribution. */
export interface NotFetched {
  /** Absent: the requirement is only an address, such as `git+https://...`. */
  readonly name: string | undefined;
  readonly address: string;
  readonly cause: string | undefined;
}

/** What uv could not fetch from git; undefined for any other error. */
export function notFetched(error: unknown): NotFetched | undefined {
  if (!(error instanceof UvFailed) || !/Git operation failed/.test(error.stderr)) return undefined;
  const { stderr } = error;
  const { name } = failedDistribution(stderr);
  const cause = /^\s*(?:fatal|error|ERROR): .*$/m.exec(stderr.slice(stderr.indexOf('Git operation failed')))?.[0].trim();
  const [, address = 'a dependency'] = /git fetch [^\n]*?'([^'\n]+)'/.exec(stderr) ?? [];
  return { name: name && normalized(name), address, cause };
}

/** The user's error for what uv could not fetch from git; `others`: the names of more distributions. */
export function gitFailure({ name, address, cause }: NotFetched, others: readonly string[]): PackagingError {
  const names = name ? [name, ...others] : [];
  const [come, it] = names.length > 1 ? ['come', 'them'] : ['comes', 'it'];
  const leavesOut = names.length
    ? `or ${option('without', names)} leaves ${it} out if migrations do not import ${it}`
    : `or remove it if migrations do not import it; written as "<name> @ git+...", ${option('without', ['<name>'])} leaves it out`;
  const reason = cause ? ` (${cause})` : '';
  return new PackagingError(
    'uv_failed',
    `${names.join(', ') || address} ${come} from git, and this machine could not fetch ${it}${reason}: give it access, ${leavesOut}`,
  );
}

/** Runs uv again without what it could not fetch from git, so that one error names everything. Throws that error. */
export function withAllFromGit<T>(run: (without: readonly string[]) => T, failed: readonly NotFetched[] = []): T {
  const names = failed.flatMap(({ name }) => name ?? []);
  const [first] = failed;
  try {
    const result = run(names);
    if (!first) return result;
  } catch (error) {
    const next = notFetched(error);
    if (next?.name && !names.includes(next.name)) return withAllFromGit(run, [...failed, next]);
    if (!first) throw error;
  }
  throw gitFailure(first, names.slice(1));
}
