import { type CoordinatorSettings, TENANTS_VARIABLE } from '../../lib/contract/coordinator';

/** The construct's settings for this function. */
export function settings(): CoordinatorSettings {
  const text = process.env[TENANTS_VARIABLE];
  if (!text) throw new Error(`the environment variable ${TENANTS_VARIABLE} is missing: deploy the function with TenantMigration`);
  return JSON.parse(text) as CoordinatorSettings;
}
