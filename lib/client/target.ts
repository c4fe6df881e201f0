import { DEFAULT_APP_NAME, functionName } from '../contract';

/** The function that a client speaks to. */
export interface Target {
  readonly functionName: string;
  /** Unknown when the client was given the function's name alone. */
  readonly stage?: string;
  readonly region: string;
}

/** The command that shows where the database is, for the "next step" of errors that leave it open. */
export function lookCommand({ stage, functionName: name }: Pick<Target, 'stage' | 'functionName'>): string {
  const byStage = stage !== undefined && name === functionName(DEFAULT_APP_NAME, stage);
  return `npx migrate-invoke ${byStage ? `--stage ${stage}` : `--function-name ${name}`} --command current`;
}
