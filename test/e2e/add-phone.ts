import type { NewMigration } from '../../examples/local-aws';

/** A revision that harms nobody. */
export const ADD_PHONE: NewMigration = {
  revision: 'e2e000000001',
  message: 'Add phone to users',
  upgrade: ['op.add_column("users", sa.Column("phone", sa.String(32)))'],
};
