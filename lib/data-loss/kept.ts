/**
 * Where the revision has copied values to. A column is `users.name`, a key of a document `users.settings->theme`, all columns of a table
 * `users.*`.
 */
export class Kept {
  /** The columns that together keep each row's value, by the column that they copy. */
  private readonly copies = new Map<string, readonly string[]>();
  /** Columns that list the values of others without their rows, by those columns. */
  private readonly lists = new Map<string, string>();
  /** Columns that were added, which `users.*` does not mean. */
  private readonly added = new Set<string>();
  /** Copies whose originals are lost: from then on, they are the only ones. */
  private readonly only = new Set<string>();
  /** All columns of a table, if they are known. */
  private readonly columns = new Map<string, Set<string>>();
  /** The tables that have copies of whole rows, by the condition that selects these rows, by their table. */
  private readonly rows = new Map<string, Map<string, string>>();

  copy(source: string, copies: readonly string[]): void {
    this.copies.set(source, copies);
  }

  list(source: string, column: string): void {
    this.lists.set(source, column);
  }

  isListedIn(source: string, column: string): boolean {
    return this.lists.get(source) === column;
  }

  isCopy(source: string, column: string): boolean {
    return !!this.copies.get(source)?.includes(column);
  }

  /** `which`: their condition; empty for every row. */
  copyRows(table: string, which: string, to: string): void {
    this.rows.set(table, new Map([...(this.rows.get(table) ?? []), [which, to]]));
  }

  /** Whether copies keep the rows that a table loses now: by any text for their condition, or those with a partner in another table. */
  keepsRows(table: string, which: readonly string[], partners: readonly string[]): boolean {
    const copies = this.rows.get(table) ?? new Map<string, string>();
    const [copy] = [
      ...['', ...which].flatMap((one) => copies.get(one) ?? []),
      ...[...copies.values()].filter((one) => partners.includes(one)),
    ];
    if (copy !== undefined) this.needs(copy);
    return copy !== undefined;
  }

  /** A table is the only one with its rows from now on. */
  needs(table: string): void {
    this.only.add(`${table}.*`);
  }

  describe(table: string, columns: readonly string[] | undefined): void {
    if (columns) this.columns.set(table, new Set(columns));
    else this.columns.delete(table);
  }

  columnsOf(table: string): readonly string[] | undefined {
    const known = this.columns.get(table);
    return known && [...known];
  }

  addColumn(table: string, column: string): void {
    this.columns.get(table)?.add(column);
    this.added.add(`${table}.${column}`);
  }

  dropColumn(table: string, column: string): void {
    this.columns.get(table)?.delete(column);
  }

  /** Whether copies keep what a column, or a key of it, loses now. */
  keepsColumn(of: string): boolean {
    const copies = this.copies.get(of) ?? this.copies.get(`${of.slice(0, of.lastIndexOf('.'))}.*`);
    for (const copy of copies ?? []) this.only.add(copy);
    return !!copies;
  }

  /** Whether copies keep all that a table loses now. */
  keepsTable(table: string): boolean {
    const columns = this.copies.has(`${table}.*`) ? ['*'] : this.columnsOf(table);
    return (
      !!columns?.length &&
      columns.every((column) => this.copies.has(`${table}.${column}`) && this.keepsColumn(`${table}.${column}`))
    );
  }

  /** Whether nothing else holds the values of a column, or of any column of a table. */
  isOnly(table: string, column?: string): boolean {
    return column === undefined
      ? [...this.only].some((copy) => isOf(table, copy))
      : this.only.has(`${table}.${column}`) || (this.only.has(`${table}.*`) && !this.added.has(`${table}.${column}`));
  }

  /** Rows of a table, or a column of it, change: it is no copy any more. */
  change(table: string, column?: string): void {
    const isChanged = (copy: string) =>
      column === undefined ? isOf(table, copy) : [`${table}.${column}`, `${table}.*`].includes(copy);
    // A copy of the copy takes its place.
    const own = (column === undefined ? undefined : this.copies.get(`${table}.${column}`)) ?? [];
    for (const [source, copies] of own.length ? [...this.copies] : [])
      if (copies.some(isChanged) && !own.includes(source))
        this.copies.set(
          source,
          copies.flatMap((copy) => (isChanged(copy) ? own : [copy])),
        );
    for (const [source, copies] of [...this.copies]) if (copies.some(isChanged)) this.copies.delete(source);
    for (const [source, copy] of [...this.lists]) if (isChanged(copy)) this.lists.delete(source);
    for (const copies of this.rows.values()) for (const [which, copy] of [...copies]) if (copy === table) copies.delete(which);
  }

  rename(kind: 'table' | 'column', from: string, to: string): void {
    const renamed = (name: string) =>
      name === from || (kind === 'table' ? isOf(from, name) : name.startsWith(`${from}->`)) ? to + name.slice(from.length) : name;
    const known = this.columns.get(from);
    if (kind === 'table') {
      this.columns.delete(from);
      if (known) this.columns.set(to, known);
    } else {
      const [table, column] = [from.slice(0, from.lastIndexOf('.')), from.slice(from.lastIndexOf('.') + 1)];
      if (this.columns.get(table)?.delete(column)) this.addColumn(table, to.slice(to.lastIndexOf('.') + 1));
    }
    for (const [source, copies] of replaced(this.copies)) this.copies.set(renamed(source), copies.map(renamed));
    for (const [source, list] of replaced(this.lists)) this.lists.set(renamed(source), renamed(list));
    for (const [table, copies] of replaced(this.rows))
      this.rows.set(renamed(table), new Map([...copies].map(([which, copy]) => [which, renamed(copy)])));
    const only = [...this.only];
    this.only.clear();
    for (const copy of only) this.only.add(renamed(copy));
  }
}

function isOf(table: string, column: string): boolean {
  const [name = ''] = column.split('->', 1);
  return name.slice(0, name.lastIndexOf('.')) === table;
}

/** The entries of a map that is filled again. */
function replaced<Value>(map: Map<string, Value>): readonly (readonly [string, Value])[] {
  const entries = [...map];
  map.clear();
  return entries;
}
