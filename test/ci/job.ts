import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalAws, RunResult } from '../../examples/local-aws';

export type Variables = Readonly<Record<string, string>>;

/** One command or script of a job that ran, with how it ended. */
export interface Ran extends RunResult {
  /** The job and the text of its script, or the action that it uses. */
  readonly job: string;
  readonly what: string;
}

/** Runs the scripts of jobs, in the folder that stands for the job's checkout. */
export interface Shell {
  readonly aws: LocalAws;
  /** What the checkout brings. */
  readonly checkout: string;
  /** A folder for PATH with commands that can't exist here. */
  readonly stubs: string;
  /** Address of the package registry. */
  readonly registry: string;
}

/** What a job finds in its environment before its first step: the address of the local AWS, and nobody signed in. */
export function jobEnvironment({ aws, stubs, registry }: Shell): NodeJS.ProcessEnv {
  const signedIn = /^(AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|REGION)|npm_config_.*)$/i;
  return {
    ...Object.fromEntries(Object.entries(aws.env).filter(([name]) => !signedIn.test(name))),
    PATH: `${stubs}${path.delimiter}${aws.env.PATH}`,
    HOME: aws.folder,
    npm_config_registry: registry,
  };
}

let scripts = 0;

/** Runs a script as a runner does: from a file, by a shell with these arguments. */
export async function runScript(
  { aws }: Shell,
  shell: readonly [string, ...string[]],
  text: string,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<RunResult> {
  const file = path.join(aws.folder, `script-${++scripts}.sh`);
  writeFileSync(file, text);
  // Into files: the pipe to this process does not block, and uv aborts when a write to it has to wait.
  const { code } = await aws.run('sh', ['-c', 'exec "$@" >"$0.out" 2>"$0.err"', file, ...shell, file], { env, cwd });
  const [stdout, stderr] = ['out', 'err'].map((name) => readFileSync(`${file}.${name}`, 'utf8').trimEnd()) as [string, string];
  return { code, stdout, stderr, output: `${stdout}\n${stderr}` };
}
