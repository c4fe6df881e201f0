import { type CoordinatorSettings, TENANTS_VARIABLE } from '../../lib/contract/coordinator';

/** What the construct has told this function. */
export function settings(): CoordinatorSettings {
  const text = process.env[TENANTS_VARIABLE];
  if (!text)
    throw new Error(`the environment variable ${TENANTS_VARIABLE} is missing: the function is deployed by TenantMigration`);
  return JSON.parse(text) as CoordinatorSettings;
}
