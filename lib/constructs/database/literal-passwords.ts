import { Token } from 'aws-cdk-lib';

const PASSWORD_NAME = /(^|_)(PASSWORD|PASSWD|PGPASSWORD)$/i;
const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s:@]*:([^/\s@]+)@/i;

/** Errors for environment variables that would put a password into the template. They do not contain the password. */
export function literalPasswords(environment: { readonly [name: string]: string }): string[] {
  return Object.entries(environment)
    .filter(([name, value]) => {
      const password = PASSWORD_NAME.test(name) ? value : URL_WITH_PASSWORD.exec(value)?.[1];
      return password !== undefined && password !== '' && !Token.isUnresolved(password);
    })
    .map(
      ([name]) =>
        `the environment variable ${name} holds a password, and anyone who reads the template could see it: ` +
        'keep it in Secrets Manager and use MigrationDatabase.fromSecret',
    );
}
