import { Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { named, option } from '../../packaging/code-in-messages';
import { PASSWORD_NAME, UNUSED_PASSWORD } from '../../packaging/proof/unset-variables';

const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s:@]*:([^/\s@]+)@/i;

/** Errors for environment variables that would put a password into the template. They do not contain the password. */
export function literalPasswords(environment: { readonly [name: string]: string }): string[] {
  return Object.entries(environment)
    .filter(([name, value]) => {
      const password = PASSWORD_NAME.test(name) ? value : URL_WITH_PASSWORD.exec(value)?.[1];
      return password && password !== UNUSED_PASSWORD && !Token.isUnresolved(password);
    })
    .map(
      ([name]) =>
        `the environment variable ${name} holds a password, and anyone who reads the template could see it: ${inSecret(name)}`,
    );
}

/** Finds variables that CloudFormation would fill with secrets: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html */
export function resolvedSecrets(scope: Construct, environment: { readonly [name: string]: string }) {
  const values = Object.entries(environment).filter(([, value]) => Token.isUnresolved(value));
  const namesWith = (service: string) =>
    values
      .filter(([, value]) => JSON.stringify(Stack.of(scope).resolve(value)).includes(`{{resolve:${service}:`))
      .map(([name]) => name);
  return {
    errors: namesWith('ssm-secure').map(
      (name) =>
        `the environment variable ${name} is a secure string of the Parameter Store, which CloudFormation does not resolve for a ` +
        `function: keep it in Secrets Manager; ${inSecret(name)}`,
    ),
    warnings: namesWith('secretsmanager').map(
      (name) =>
        `CloudFormation writes the secret of the environment variable ${name} into the function's configuration, where it can be read ` +
        `and a rotation does not change it: ${inSecret(name)}`,
    ),
  };
}

/** Where a secret belongs instead of a variable. */
function inSecret(name: string): string {
  return (
    `the database's is in a secret, which ${named('MigrationDatabase.fromSecret')} takes; another goes into ${option('secrets')}, or, ` +
    `if migrations do not use it, set ${option('environment', { [name]: UNUSED_PASSWORD })}`
  );
}
