import { type RunnerSettings, SETTINGS_VARIABLE } from '../../lib/contract';
import { ExecutionEnvironment, type Invoked } from './execution-environment';

/** The function's timeout. */
export const FUNCTION_SECONDS = 300;

/** The function of a stage: the real runner under the real runtime, one environment for each call at the same time. */
export class MigrateFunction {
  /** Requests that reached the function, in order. */
  readonly requests: { command?: string; runId?: string }[] = [];
  private environments: { root: string; environment: ExecutionEnvironment; busy: boolean }[] = [];

  /** @param code the unpacked package that new calls run; undefined: the function is not there */
  constructor(
    public code: string | undefined,
    private readonly settings: Partial<RunnerSettings> = {},
  ) {}

  async invoke(payload: string): Promise<Invoked> {
    const root = this.code as string;
    this.requests.push(JSON.parse(payload));
    let slot = this.environments.find(({ busy, ...other }) => !busy && other.root === root && other.environment.alive);
    if (!slot) {
      slot = { root, environment: await ExecutionEnvironment.start(root, this.variables()), busy: true };
      this.environments.push(slot);
    }
    slot.busy = true;
    try {
      return await slot.environment.invoke(payload, FUNCTION_SECONDS);
    } finally {
      slot.busy = false;
    }
  }

  /** How many requests of this command reached the function. */
  count(command: string): number {
    return this.requests.filter((request) => request.command === command).length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.environments.map(({ environment }) => environment.stop()));
  }

  private variables(): Record<string, string> {
    const settings: RunnerSettings = { stage: 'dev', allow: [], database: { source: 'environment' }, ...this.settings };
    return { [SETTINGS_VARIABLE]: JSON.stringify(settings) };
  }
}
