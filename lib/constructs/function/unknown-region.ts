import { Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { isRdsRegionKnown } from '../../packaging/layout/rds-certificates';
import { addWarning } from './annotations';

/** Warns when the packaged certificates do not cover RDS in the stack's region, unless the user has configured TLS. */
export function warnOfUnknownRegion(scope: Construct, environment: { readonly [name: string]: string }): void {
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region) || 'PGSSLMODE' in environment || 'PGSSLROOTCERT' in environment) return;
  if (isRdsRegionKnown(region)) return;
  addWarning(
    scope,
    'cdk-alembic:rds-certificates',
    `the packaged certificate authorities do not cover RDS in ${region}, so a connection to it would fail: put ` +
      `https://truststore.pki.rds.amazonaws.com/${region}/${region}-bundle.pem into the backend and set the environment variable ` +
      'PGSSLROOTCERT to its path below /var/task/backend',
  );
}
