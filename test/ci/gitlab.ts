import path from 'node:path';
import { gitlabDirectory, readYaml } from './files';
import { jobEnvironment, type Ran, runScript, type Shell, type Variables } from './job';

interface Job {
  readonly extends?: string;
  readonly stage: string;
  readonly needs?: readonly string[];
  readonly rules?: readonly { readonly if: string; readonly when?: string }[];
  readonly variables?: Variables;
  readonly before_script?: readonly string[];
  readonly script: readonly string[];
}

export interface GitlabOptions {
  readonly shell: Shell;
  readonly account: string;
  /** `push` to main, or `merge_request_event`. */
  readonly source: string;
  /** The job's OIDC token. */
  readonly token: string;
  /** The job to start at, as if the ones before it had succeeded. @default the first */
  readonly retry?: string;
}

export interface PipelineRun {
  /** Every job, in order, up to the first that failed. */
  readonly ran: readonly Ran[];
  /** Jobs that someone has to start. */
  readonly manual: readonly string[];
}

/** Runs the jobs of files of examples/ci/gitlab as GitLab's runner does, and starts those that wait for someone. */
export async function runPipeline(files: readonly string[], options: GitlabOptions): Promise<PipelineRun> {
  const ran: Ran[] = [];
  const manual: string[] = [];
  const jobs = jobsOf(files, options);
  const first = options.retry === undefined ? 0 : jobs.findIndex(([name]) => name === options.retry);
  for (const [name, job] of jobs.slice(first)) {
    if (job.rules?.some(({ when }) => when === 'manual')) manual.push(name);
    const given: Variables = {
      CI_JOB_ID: '1',
      CI_COMMIT_BRANCH: 'main',
      CI_MERGE_REQUEST_DIFF_BASE_SHA: 'origin/main',
      AWS_ID_TOKEN: options.token,
    };
    const env = { ...jobEnvironment(options.shell), ...given, ...expanded(job.variables ?? {}, given) };
    const lines = [...(job.before_script ?? []), ...job.script];
    const result = await runScript(options.shell, ['bash', '-eo', 'pipefail'], lines.join('\n'), env, options.shell.checkout);
    ran.push({ ...result, job: name, what: lines.join('\n') });
    if (result.code !== 0) break;
  }
  return { ran, manual };
}

/** The jobs of one pipeline, each after those that it needs. */
function jobsOf(files: readonly string[], { account, source }: GitlabOptions): [string, Job][] {
  const main = readYaml(path.join(gitlabDirectory, '.gitlab-ci.yml'));
  const all = Object.assign({}, ...files.map((file) => readYaml(path.join(gitlabDirectory, file), account)));
  const resolve = (job: Job): Job => (job.extends ? merged(resolve(all[job.extends]), job) : job);
  const jobs = Object.entries<Job>(all)
    .filter(([name]) => !name.startsWith('.'))
    .map(([name, job]): [string, Job] => [name, resolve(job)])
    .filter(([, { rules = [] }]) => rules.some((rule) => holds(rule.if, source)));
  const stage = ([, job]: [string, Job]): number => main.stages.indexOf(job.stage);
  const unknown = jobs.filter((job) => stage(job) < 0);
  if (unknown.length > 0) throw new Error(`no stage of .gitlab-ci.yml for ${unknown.map(([name]) => name).join(', ')}`);
  const names = jobs.sort((a, b) => stage(a) - stage(b)).map(([name]) => name);
  for (const [name, { needs = [] }] of jobs) {
    const later = needs.filter((needed) => names.indexOf(needed) < 0 || names.indexOf(needed) > names.indexOf(name));
    if (later.length > 0) throw new Error(`${name} needs ${later.join(', ')}, which does not come before it`);
  }
  return jobs;
}

/** GitLab merges mappings and replaces everything else. */
function merged<T>(base: T, over: T): T {
  const isMapping = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMapping(base) || !isMapping(over)) return over;
  const entries = Object.entries(over).map(([key, value]) => [
    key,
    key in base ? merged(base[key as never], value as never) : value,
  ]);
  return { ...base, ...Object.fromEntries(entries) };
}

function holds(condition: string, source: string): boolean {
  if (condition === '$CI_PIPELINE_SOURCE == "merge_request_event"') return source === 'merge_request_event';
  if (condition === '$CI_COMMIT_BRANCH == "main"') return source === 'push';
  throw new Error(`a condition that this reader does not know: ${condition}`);
}

/** Variables may name each other, in any order. */
function expanded(variables: Variables, given: Variables): Variables {
  const all = { ...given, ...variables };
  const value = (text: string): string => text.replaceAll(/\$(\w+)/g, (_, name: string) => value(all[name] ?? ''));
  return Object.fromEntries(Object.entries(variables).map(([name, text]) => [name, value(text)]));
}
