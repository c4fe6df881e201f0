import { Annotations, Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { isRdsRegionKnown } from '../../packaging/rds-certificates';

/** Warns when the certificate of a database in the stack's region could not be verified, unless the user has seen to it. */
export function warnOfUnknownRegion(scope: Construct, environment: { readonly [name: string]: string }): void {
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region) || 'PGSSLMODE' in environment || 'PGSSLROOTCERT' in environment) return;
  if (isRdsRegionKnown(region)) return;
  Annotations.of(scope).addWarningV2(
    'cdk-alembic:rds-certificates',
    `the certificate authorities that are packaged do not know RDS in ${region}, and a connection to it would be refused: put ` +
      `https://truststore.pki.rds.amazonaws.com/${region}/${region}-bundle.pem into the backend and set the environment variable ` +
      'PGSSLROOTCERT to its place below /var/task/backend',
  );
}
