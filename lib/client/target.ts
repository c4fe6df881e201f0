import { DEFAULT_APP_NAME, functionName } from '../contract';

/** The function that a client calls. */
export interface Target {
  readonly functionName: string;
  /** Absent if the client got only the function's name. */
  readonly stage?: string;
  readonly region: string;
}

/** The command that shows the database's revision: the next step after an error that leaves it unknown. */
export function lookCommand({ stage, functionName: name }: Pick<Target, 'stage' | 'functionName'>): string {
  const byStage = stage !== undefined && name === functionName(DEFAULT_APP_NAME, stage);
  return `npx migrate-invoke ${byStage ? `--stage ${stage}` : `--function-name ${name}`} --command current`;
}
