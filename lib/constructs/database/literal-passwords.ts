import { Token } from 'aws-cdk-lib';
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
        `the environment variable ${name} holds a password, and anyone who reads the template could see it: ` +
        `the database's is in a secret, which ${named('MigrationDatabase.fromSecret')} takes; another goes into ${option('secrets')}, or, if migrations do not use it, set ${option('environment', { [name]: UNUSED_PASSWORD })}`,
    );
}
