// What `migrate-invoke` reads when it is about many tenants; a file of its own, so that no other start pays for it.
export { migrateInvokeTenants } from '../lib/cli/migrate-invoke/tenants/main';
