// The part of `migrate-invoke` for many tenants, in a file of its own: no other start loads it.
export { migrateInvokeTenants } from '../lib/cli/migrate-invoke/tenants/main';
