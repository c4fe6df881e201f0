// The part of `migrate-invoke` for many tenants, in a separate file that other starts do not load.
export { migrateInvokeTenants } from '../lib/cli/migrate-invoke/tenants/main';
