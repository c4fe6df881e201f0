import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import type { FunctionPlatform } from '../../packaging/platform';

/** Docker's name for the directory that holds the package. */
const PACKAGE_CONTEXT = 'package';

/** Docker's name of a platform. */
export function dockerPlatform({ architecture }: Pick<FunctionPlatform, 'architecture'>): Platform {
  return architecture === 'arm64' ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64;
}

/**
 * An image of a package that was staged for a zip. It is based on Lambda's public image, so the task has the same Python,
 * system libraries and AWS SDK as the function.
 */
export function imageOfPackage(scope: Construct, stagedPath: string, platform: FunctionPlatform): DockerImageAsset {
  const isStaged = !scope.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT);
  const directory = mkdtempSync(join(tmpdir(), 'cdk-alembic-'));
  const dockerfile = `FROM public.ecr.aws/lambda/python:${platform.pythonVersion}\nCOPY --from=${PACKAGE_CONTEXT} . /var/task/\n`;
  writeFileSync(join(directory, 'Dockerfile'), dockerfile);
  try {
    return new DockerImageAsset(scope, 'Image', {
      directory,
      platform: dockerPlatform(platform),
      // Docker runs in the staged copy of the directory. The package is next to it, so cdk.out can be moved.
      buildContexts: { [PACKAGE_CONTEXT]: isStaged ? join('..', basename(stagedPath)) : stagedPath },
    });
  } finally {
    if (isStaged) rmSync(directory, { recursive: true });
  }
}
