import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { checkArgument, instance, nonEmpty, optional } from '../function/prop-types';

export const SECRET = instance('a secret, such as secretsmanager.Secret.fromSecretNameV2(...)', 'secretArn');

/** A secret of the backend, which the function fetches at run time. */
export class MigrationSecret {
  /**
   * A secret in Secrets Manager.
   *
   * @param field of a secret that holds a JSON object. Without it, the variable gets the secret's whole text
   */
  static fromSecretsManager(secret: secretsmanager.ISecret, field?: string): MigrationSecret {
    checkArgument('MigrationSecret.fromSecretsManager', 'secret', secret, SECRET);
    checkArgument('MigrationSecret.fromSecretsManager', 'field', field, optional(nonEmpty));
    return new MigrationSecret(secret, field);
  }

  private constructor(
    /** @internal */
    readonly _secret: secretsmanager.ISecret,
    /** @internal */
    readonly _field: string | undefined,
  ) {}
}
