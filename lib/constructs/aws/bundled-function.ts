import { existsSync } from 'node:fs';
import type { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { packagePath } from '../../package-root';

export interface BundledFunctionProps {
  /** The folder in `lambda` whose bundle the function runs. */
  readonly bundle: 'on-deploy' | 'tenants';
  /** The bundle's export. */
  readonly handler: string;
  readonly description: string;
  readonly timeout: Duration;
  readonly role: iam.IRole;
  readonly logGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey | undefined;
  readonly functionName?: string;
  /** In MiB. @default 128, Lambda's default */
  readonly memorySize?: number;
  readonly environment?: { readonly [name: string]: string };
}

/** A function in TypeScript that was bundled when this package was built. */
export function bundledFunction(scope: Construct, id: string, props: BundledFunctionProps): lambda.Function {
  const { bundle, handler, encryptionKey, ...others } = props;
  return new lambda.Function(scope, id, {
    ...others,
    code: lambda.Code.fromAsset(bundleDirectory(bundle)),
    handler: `index.${handler}`,
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    environmentEncryption: encryptionKey,
  });
}

/** A role for such functions: it may write their logs and decrypt their environment. */
export function bundledFunctionRole(
  scope: Construct,
  id: string,
  { logGroup, encryptionKey }: { readonly logGroup: logs.ILogGroup; readonly encryptionKey: kms.IKey | undefined },
): iam.Role {
  const role = new iam.Role(scope, id, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  encryptionKey?.grantDecrypt(role);
  return role;
}

function bundleDirectory(bundle: string): string {
  const directory = packagePath('dist', 'lambda', bundle);
  if (!existsSync(directory)) throw new Error(`${directory} is missing: run "npm run build" in cdk-alembic`);
  return directory;
}
