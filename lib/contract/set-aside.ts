// What `create --keep-dropped` keeps has a date in its name: `users.name_drop_after_20261226`.
// The names are made in lambda/migrate/cdk_alembic_local/scratch/set_aside.py; keep both in step.

const FORM = /_drop_after_(\d{4})(\d{2})(\d{2})$/;

/** The last day, such as `2026-12-26`, on which a column or table of this name is kept. Undefined: it is not set aside. */
export function keptUntil(name: string): string | undefined {
  const [, year, month, day] = FORM.exec(name) ?? [];
  return year && `${year}-${month}-${day}`;
}
