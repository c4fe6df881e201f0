import { resolve } from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Node } from 'constructs';

/** What differs between the stages. */
export interface TemplateSaasSettings {
  readonly stage: string;
  /** Folder of the backend. */
  readonly backend: string;
  /** Secret of a database that exists already; without it the stack makes an Aurora cluster. */
  readonly databaseSecretArn?: string;
  readonly deletionProtection: boolean;
  readonly architecture?: lambda.Architecture;
  readonly runtime?: lambda.Runtime;
}

/** A mistake in cdk.json or on the command line. */
export class SettingsError extends Error {}

const ARCHITECTURES = [lambda.Architecture.ARM_64, lambda.Architecture.X86_64];

/** Reads `-c stage=<stage>`, what cdk.json says of that stage, and what `-c` says instead. */
export function readSettings(node: Node): TemplateSaasSettings {
  const stages: Record<string, Record<string, unknown>> = node.tryGetContext('stages') ?? {};
  const stage: string | undefined = node.tryGetContext('stage');
  const names = Object.keys(stages).join(', ');
  if (!stage) throw new SettingsError(`say which stage: -c stage=<stage>; cdk.json has ${names}`);
  const ofStage = Object.hasOwn(stages, stage) ? stages[stage] : undefined;
  if (!ofStage) throw new SettingsError(`there is no stage "${stage}": use one of ${names}, or add it to "stages" in cdk.json`);

  const setting = (name: string) => (node.tryGetContext(name) ?? ofStage[name]) as string | undefined;
  const architecture = setting('architecture');
  const chosen = ARCHITECTURES.find(({ name }) => name === architecture);
  if (architecture && !chosen) {
    throw new SettingsError(
      `there is no architecture "${architecture}": use ${ARCHITECTURES.map(({ name }) => name).join(' or ')}`,
    );
  }
  const pythonVersion = setting('pythonVersion');
  return {
    stage,
    backend: resolve(setting('backend') ?? resolve(__dirname, '..', 'back')),
    databaseSecretArn: setting('databaseSecretArn'),
    deletionProtection: ofStage.deletionProtection === true,
    architecture: chosen,
    runtime: pythonVersion ? new lambda.Runtime(`python${pythonVersion}`, lambda.RuntimeFamily.PYTHON) : undefined,
  };
}
