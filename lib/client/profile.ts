import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MigrateError } from '../contract/failure';

/**
 * Throws if neither of the AWS configuration files has the profile: the SDK would go on to its next source of credentials, such as
 * the machine's role.
 */
export function checkProfile(profile: string): void {
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = process.env;
  const files = [
    AWS_CONFIG_FILE || join(homedir(), '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE || join(homedir(), '.aws', 'credentials'),
  ];
  if (files.some((file) => profilesIn(file).includes(profile))) return;
  throw new MigrateError(
    'invalid_usage',
    `the profile ${JSON.stringify(profile)} is in neither ${files.join(' nor ')}`,
    'correct --profile or AWS_PROFILE: `aws configure list-profiles` lists the profiles',
  );
}

/** Names of the sections, with and without `profile`: each file allows both. */
function profilesIn(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return [...text.matchAll(/^\s*\[\s*(?:profile\s+)?(["']?)(.+?)\1\s*\]/gm)].map(([, , name]) => name as string);
}
