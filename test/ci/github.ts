import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalAws, RunResult } from '../../examples/local-aws';
import { actionFile, githubDirectory, OWN_ACTION, readYaml } from './files';
import { jobEnvironment, type Ran, runScript, type Shell, type Variables } from './job';

/** Values of a workflow's expressions, by their path: `inputs.stage`, `steps.migrate.outputs.to`. */
type Context = Record<string, string>;

export interface WorkflowRun {
  /** Every `run` and this repository's action, in order, up to the first that failed. */
  readonly ran: readonly Ran[];
  /** Actions of others that could not run here, with their filled inputs. */
  readonly replaced: readonly { readonly uses: string; readonly with: Variables }[];
}

export interface GithubOptions {
  readonly shell: Shell;
  /** Stands in for the accounts in the files. */
  readonly account: string;
}

/**
 * Runs a workflow of examples/ci/github as GitHub's runner does: job after job, step after step, until one fails.
 *
 * @param rerun the job to start at, as if the ones before it had succeeded in an earlier attempt
 */
export async function runWorkflow(
  name: string,
  options: GithubOptions,
  context: Context = {},
  rerun?: string,
): Promise<WorkflowRun> {
  const ran: Ran[] = [];
  const replaced: { uses: string; with: Variables }[] = [];
  const { jobs } = readYaml(path.join(githubDirectory, name), options.account);
  const order = inOrder(jobs);
  for (const id of order.slice(rerun === undefined ? 0 : order.indexOf(rerun))) {
    const job = jobs[id];
    if (job.uses) {
      const inputs = Object.entries(filled(job.with, context)).map(([key, value]) => [`inputs.${key}`, value]);
      const called = await runWorkflow(path.basename(job.uses), options, Object.fromEntries(inputs));
      ran.push(...called.ran.map((step) => ({ ...step, job: `${id}/${step.job}` })));
      replaced.push(...called.replaced);
    } else await runJob(id, job);
    if (ran.some(({ code }) => code !== 0)) break;
  }
  return { ran, replaced };

  // biome-ignore lint/suspicious/noExplicitAny: a linter has checked the shape of these files
  async function runJob(id: string, job: any): Promise<void> {
    const own = { ...context };
    const env: NodeJS.ProcessEnv = { ...jobEnvironment(options.shell), GITHUB_BASE_REF: 'main', ...filled(job.env, own) };
    let workspace = mkdtempSync(path.join(options.shell.aws.folder, 'workspace-'));
    for (const step of job.steps) {
      const inputs = filled(step.with, own);
      let result: RunResult;
      if (step.run) {
        if (/\$\{\{/.test(step.run)) throw new Error(`an expression inside of a script can be an injection: ${step.run}`);
        const cwd = path.join(workspace, step['working-directory'] ?? job.defaults?.run['working-directory'] ?? '.');
        result = await runScript(options.shell, ['bash', '-e'], step.run, { ...env, ...filled(step.env, own) }, cwd);
      } else if (step.uses === OWN_ACTION) {
        const action = await runAction(options.shell.aws, workspace, inputs, env);
        for (const [key, value] of Object.entries(action.outputs)) own[`steps.${step.id}.outputs.${key}`] = value;
        result = action;
      } else {
        replaced.push({ uses: step.uses, with: inputs });
        if (step.uses.startsWith('actions/checkout@')) workspace = options.shell.checkout;
        if (step.uses.startsWith('aws-actions/configure-aws-credentials@')) {
          Object.assign(env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: inputs['aws-region'] });
        }
        continue;
      }
      ran.push({ ...result, job: id, what: step.run ?? step.uses });
      if (result.code !== 0) return;
    }
  }
}

export interface ActionRun extends RunResult {
  readonly outputs: Variables;
}

/** Runs this repository's action as GitHub's runner does: its `main`, with its inputs in the environment. */
export async function runAction(aws: LocalAws, workspace: string, inputs: Variables, env: NodeJS.ProcessEnv): Promise<ActionRun> {
  const action = readYaml(actionFile);
  const unknown = Object.keys(inputs).filter((name) => !(name in action.inputs));
  if (unknown.length > 0) throw new Error(`the action has no input ${unknown.join(', ')}`);
  const given: NodeJS.ProcessEnv = {};
  for (const [name, { default: value = '' }] of Object.entries<{ default?: string }>(action.inputs)) {
    given[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] = inputs[name] ?? value;
  }
  const outputFile = path.join(aws.folder, 'github-output');
  writeFileSync(outputFile, '');
  const main = path.join(path.dirname(actionFile), action.runs.main);
  const result = await aws.run(process.execPath, [main], {
    env: { ...env, ...given, GITHUB_OUTPUT: outputFile },
    cwd: workspace,
  });
  const outputs = Object.fromEntries(
    [...readFileSync(outputFile, 'utf8').matchAll(/^(.+)<<(.+)\n([\s\S]*?)\n\2\n/gm)].map(([, name, , value]) => [name, value]),
  );
  const undeclared = Object.keys(outputs).filter((name) => !(name in action.outputs));
  if (undeclared.length > 0) throw new Error(`action.yml does not declare ${undeclared.join(', ')}`);
  return { ...result, outputs };
}

function filled(values: Record<string, unknown> = {}, context: Context): Record<string, string> {
  const fill = (text: string): string =>
    text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
      const value = context[expression];
      if (value === undefined) throw new Error(`nothing is known of the expression ${expression}`);
      return value;
    });
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fill(String(value))]));
}

function inOrder(jobs: Record<string, { needs?: string }>): string[] {
  const order: string[] = [];
  const visit = (id: string): void => {
    for (const needed of [jobs[id]?.needs ?? []].flat()) visit(needed);
    if (!order.includes(id)) order.push(id);
  };
  Object.keys(jobs).forEach(visit);
  return order;
}
