import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AssetHashType, AssetStaging } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { HANDLER, MANIFEST_FILE } from '../../contract';
import { PackagingError } from '../../packaging/errors';
import { foundWith, manifestWarnings } from '../../packaging/layout/manifest';
import type { Package } from '../../packaging/layout/package';
import type { ProjectFindings } from '../../packaging/project/alembic-project';
import { type BoundCode, type CodeBinding, type CodeTarget, checkDirectory, unusable } from './bound-code';
import { imageOfPackage } from './container-image';
import { localBundling } from './local-bundling';

/** The result of checking a directory. */
export interface ZipFindings extends ProjectFindings {
  /** What was found in the directory, for a message. */
  readonly found?: string;
  /** The package to build. Called only if there are no errors. */
  package?(): Package;
}

/** How a directory becomes a zip. */
export interface ZipSource {
  readonly directory: string;
  check(scope: Construct, target: CodeTarget): ZipFindings;
}

/** Code that this machine packages as a zip. */
export function zipCode(source: ZipSource): CodeBinding {
  return (scope, target, usable): BoundCode => {
    const { platform } = target;
    const found = checkDirectory(source.directory, () => source.check(scope, target));
    const { errors, warnings } = found;
    if (!usable || errors.length || !('package' in found) || !found.package) return unusable(errors, warnings);

    const built = found.package();
    const staged = stage(scope, source.directory, built);
    if ('failure' in staged) return unusable([staged.failure], [...warnings, ...built.warnings]);
    const allWarnings = [...warnings, ...built.warnings, ...manifestWarnings(staged.path), ...staged.warnings];
    return {
      code: lambda.Code.fromAsset(source.directory, assetOptions(built)),
      handler: HANDLER,
      runtime: new lambda.Runtime(`python${platform.pythonVersion}`, lambda.RuntimeFamily.PYTHON),
      image: (below) => imageOfPackage(below, staged.path, platform),
      ...(found.found && { found: foundWith(found.found, staged.path) }),
      errors,
      warnings: allWarnings,
    };
  };
}

interface Staged {
  readonly path: string;
  /** Warnings about what the package did when it was loaded. */
  readonly warnings: readonly string[];
}

/** Builds the package in the assembly, unless it already exists. Returns its path, or the user's mistake. */
function stage(scope: Construct, directory: string, built: Package): Staged | { failure: PackagingError } {
  let cause: unknown;
  const build = (target: string) => {
    try {
      built.build(target);
    } catch (error) {
      cause = error;
      throw error;
    }
  };
  try {
    const staging = new AssetStaging(scope, 'Package', { sourcePath: directory, ...assetOptions({ ...built, build }) });
    const path = staging.absoluteStagedPath;
    return { path, warnings: existsSync(join(path, MANIFEST_FILE)) ? built.prove(path) : [] };
  } catch (error) {
    // The CDK wraps errors of the build.
    const mistake = cause ?? error;
    if (mistake instanceof PackagingError) return { failure: mistake };
    throw error;
  }
}

function assetOptions(built: Package) {
  return {
    assetHash: built.hash,
    assetHashType: AssetHashType.CUSTOM,
    bundling: localBundling((target) => built.build(target)),
  };
}
