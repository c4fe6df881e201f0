import { basename, join, resolve } from 'node:path';
import { AssetHashType, AssetStaging } from 'aws-cdk-lib';
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import { HANDLER } from '../../contract';
import { copyRunner, hashRunner, runnerDirectory } from '../../packaging/layout/package';
import { checkAlembicProject } from '../../packaging/project/alembic-project';
import { type BoundCode, type CodeBinding, checkDirectory, unusable } from './bound-code';
import { dockerPlatform } from './container-image';
import { localBundling } from './local-bundling';

/** Docker's name for the directory that holds the runner. */
const RUNNER_CONTEXT = 'cdk-alembic';

/** Options of {@link MigrationCode.fromImage}. */
export interface MigrationImageOptions {
  /**
   * The Dockerfile, relative to the directory.
   *
   * @default 'Dockerfile'
   */
  readonly file?: string;

  /**
   * The Dockerfile's stage to build.
   *
   * @default - the last one
   */
  readonly target?: string;

  /**
   * Build arguments. Do not pass secrets: anyone with the image can read them.
   *
   * @default - none
   */
  readonly buildArgs?: { [name: string]: string };

  /**
   * The folder of the Alembic project, relative to the directory; its revisions are checked at synth.
   *
   * @default '.'
   */
  readonly alembicDirectory?: string;
}

/** Code that is an image, built from the user's own Dockerfile when the stack is deployed. */
export function imageCode(directory: string, options: MigrationImageOptions): CodeBinding {
  const { alembicDirectory = '.', ...image } = options;
  return (scope, { platform: { architecture } }, usable): BoundCode => {
    const { errors, warnings } = checkDirectory(directory, () => checkAlembicProject(resolve(directory, alembicDirectory)));
    if (!usable || errors.length) return unusable(errors, warnings);
    const build = {
      ...image,
      platform: dockerPlatform({ architecture }),
      buildContexts: { [RUNNER_CONTEXT]: runnerContext(scope) },
    };
    return {
      code: lambda.Code.fromAssetImage(directory, { ...build, cmd: [HANDLER] }),
      handler: lambda.Handler.FROM_IMAGE,
      runtime: lambda.Runtime.FROM_IMAGE,
      image: (below) => new DockerImageAsset(below, 'Image', { ...build, directory }),
      errors,
      warnings,
    };
  };
}

/** Docker runs in the staged copy of the user's directory. The runner's copy is next to it, so cdk.out can be moved. */
function runnerContext(scope: Construct): string {
  const { absoluteStagedPath } = new AssetStaging(scope, 'Runner', {
    sourcePath: runnerDirectory(),
    assetHash: hashRunner(),
    assetHashType: AssetHashType.CUSTOM,
    bundling: localBundling(copyRunner),
  });
  return scope.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT) ? absoluteStagedPath : join('..', basename(absoluteStagedPath));
}
