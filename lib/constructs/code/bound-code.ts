import { statSync } from 'node:fs';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { type DatabaseVariables, HANDLER } from '../../contract';
import { addedTo } from '../../packaging/code-in-messages';
import { noDirectory, PackagingError } from '../../packaging/errors';
import type { FunctionPlatform } from '../../packaging/platform';
import type { ProjectFindings } from '../../packaging/project/alembic-project';

/** Code that is bound to a function. */
export interface BoundCode {
  readonly code: lambda.Code;
  readonly handler: string;
  readonly runtime: lambda.Runtime;
  /** Builds a container image of the code. Absent when there are errors. */
  readonly image?: (scope: Construct) => DockerImageAsset;
  /** Summary of what was found and packaged, for a message. */
  readonly found?: string;
  readonly errors: readonly PackagingError[];
  readonly warnings: readonly string[];
}

/** The function that gets the code. */
export interface CodeTarget {
  readonly platform: FunctionPlatform;
  /** The function's environment variables that are known at synth. */
  readonly environment: Readonly<Record<string, string>>;
  /** The environment variables that the function fills with the database's address. */
  readonly databaseVariables?: DatabaseVariables | undefined;
  /** Whether it has more environment variables, whose values only the deploy knows. */
  readonly hasUnknownVariables?: boolean | undefined;
  /** Whether other values stand for some of them: a failure may be due to that. */
  readonly isAssumed?: boolean | undefined;
}

/** Binds code to a function below a scope. Packages nothing unless `usable`: other errors already stop the deploy. */
export type CodeBinding = (scope: Construct, target: CodeTarget, usable: boolean) => BoundCode;

/** A binding whose messages add to the lists of options that it was given. */
export function adding(lists: Readonly<Record<string, readonly string[]>>, binding: CodeBinding): CodeBinding {
  return (scope, target, usable) => {
    const { errors, warnings, ...bound } = binding(scope, target, usable);
    return {
      ...bound,
      errors: errors.map(({ code, text }) => new PackagingError(code, addedTo(text, lists))),
      warnings: warnings.map((warning) => addedTo(warning, lists)),
    };
  };
}

/** A placeholder when there are errors; the CDK deploys nothing then. */
export function unusable(errors: readonly PackagingError[], warnings: readonly string[]): BoundCode {
  const code = lambda.Code.fromInline('raise RuntimeError("this stack had errors when it was synthesized")');
  return { code, handler: HANDLER, runtime: lambda.Runtime.PYTHON_3_13, errors, warnings };
}

/** Checks a directory that the user named. */
export function checkDirectory<T extends ProjectFindings>(directory: string, check: () => T): T | ProjectFindings {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return check();
  return { errors: [noDirectory(directory)], warnings: [] };
}
