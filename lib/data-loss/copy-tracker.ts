/**
 * Where the revision has copied values to. A column is written `users.name`, a key of a document `users.settings->theme`, all columns of a table
 * `users.*`.
 */
export class CopyTracker {
  /** The columns that together hold a column's value in each row, by the column that they copy. */
  private readonly copies = new Map<string, readonly string[]>();
  /** Columns that hold the values of another, but not in which rows they were, by that other column. */
  private readonly valueLists = new Map<string, string>();
  /** Columns that were added later, which `users.*` does not cover. */
  private readonly addedColumns = new Set<string>();
  /** Copies whose originals are lost. */
  private readonly onlyCopies = new Set<string>();
  /** All columns of a table, where they are known. */
  private readonly columns = new Map<string, Set<string>>();
  /** For each table, the tables that have copies of its rows, by the condition of the copied rows. */
  private readonly rowCopies = new Map<string, Map<string, string>>();

  recordCopy(source: string, copies: readonly string[]): void {
    this.copies.set(source, copies);
  }

  recordValueList(source: string, column: string): void {
    this.valueLists.set(source, column);
  }

  isListedIn(source: string, column: string): boolean {
    return this.valueLists.get(source) === column;
  }

  has(source: string): boolean {
    return this.copies.has(source);
  }

  isCopy(source: string, column: string): boolean {
    return !!this.copies.get(source)?.includes(column);
  }

  /** @param which the condition of the copied rows; empty for every row */
  recordRowCopy(table: string, which: string, to: string): void {
    this.rowCopies.set(table, new Map([...(this.rowCopies.get(table) ?? []), [which, to]]));
  }

  /**
   * Whether another table has copies of the rows that a table now loses. That table is the only one with them from then on.
   *
   * @param which texts for the condition of the lost rows; empty for every row
   * @param partners tables that hold the keys of the lost rows
   */
  claimRowCopy(table: string, which: readonly string[], partners: readonly string[]): boolean {
    const copies = this.rowCopies.get(table) ?? new Map<string, string>();
    const [copy] = [
      ...['', ...which].flatMap((condition) => copies.get(condition) ?? []),
      ...[...copies.values()].filter((other) => partners.includes(other)),
    ];
    if (copy !== undefined) this.markOnlyCopy(copy);
    return copy !== undefined;
  }

  /** Records that no other table has a table's rows anymore. */
  markOnlyCopy(table: string): void {
    this.onlyCopies.add(`${table}.*`);
  }

  setColumns(table: string, columns: readonly string[] | undefined): void {
    if (columns) this.columns.set(table, new Set(columns));
    else this.columns.delete(table);
  }

  columnsOf(table: string): readonly string[] | undefined {
    const known = this.columns.get(table);
    return known && [...known];
  }

  addColumn(table: string, column: string): void {
    this.columns.get(table)?.add(column);
    this.addedColumns.add(`${table}.${column}`);
  }

  dropColumn(table: string, column: string): void {
    this.columns.get(table)?.delete(column);
  }

  /** Whether there is a copy of the values that a column, or a key of it, now loses. The copy is the only one from then on. */
  claimColumnCopy(column: string): boolean {
    const copies = this.copies.get(column) ?? this.copies.get(`${column.slice(0, column.lastIndexOf('.'))}.*`);
    for (const copy of copies ?? []) this.onlyCopies.add(copy);
    return !!copies;
  }

  /** Whether there are copies of everything that a table now loses. They are the only ones from then on. */
  claimTableCopy(table: string): boolean {
    const columns = this.copies.has(`${table}.*`) ? ['*'] : this.columnsOf(table);
    return (
      !!columns?.length &&
      columns.every((column) => this.copies.has(`${table}.${column}`) && this.claimColumnCopy(`${table}.${column}`))
    );
  }

  /** Whether nothing else holds the values of a column, or of any column of a table. */
  isOnlyCopy(table: string, column?: string): boolean {
    return column === undefined
      ? [...this.onlyCopies].some((copy) => belongsTo(table, copy))
      : this.onlyCopies.has(`${table}.${column}`) ||
          (this.onlyCopies.has(`${table}.*`) && !this.addedColumns.has(`${table}.${column}`));
  }

  /** A table's rows, or one of its columns, change: they are no longer a copy. */
  invalidate(table: string, column?: string): void {
    const isChanged = (copy: string) =>
      column === undefined ? belongsTo(table, copy) : [`${table}.${column}`, `${table}.*`].includes(copy);
    // A copy of the copy takes its place.
    const own = (column === undefined ? undefined : this.copies.get(`${table}.${column}`)) ?? [];
    for (const [source, copies] of own.length ? [...this.copies] : [])
      if (copies.some(isChanged) && !own.includes(source))
        this.copies.set(
          source,
          copies.flatMap((copy) => (isChanged(copy) ? own : [copy])),
        );
    for (const [source, copies] of [...this.copies]) if (copies.some(isChanged)) this.copies.delete(source);
    for (const [source, copy] of [...this.valueLists]) if (isChanged(copy)) this.valueLists.delete(source);
    for (const copies of this.rowCopies.values())
      for (const [which, copy] of [...copies]) if (copy === table) copies.delete(which);
  }

  rename(kind: 'table' | 'column', from: string, to: string): void {
    const renamed = (name: string) =>
      name === from || (kind === 'table' ? belongsTo(from, name) : name.startsWith(`${from}->`))
        ? to + name.slice(from.length)
        : name;
    const known = this.columns.get(from);
    if (kind === 'table') {
      this.columns.delete(from);
      if (known) this.columns.set(to, known);
    } else {
      const [table, column] = [from.slice(0, from.lastIndexOf('.')), from.slice(from.lastIndexOf('.') + 1)];
      if (this.columns.get(table)?.delete(column)) this.addColumn(table, to.slice(to.lastIndexOf('.') + 1));
    }
    for (const [source, copies] of drain(this.copies)) this.copies.set(renamed(source), copies.map(renamed));
    for (const [source, recordValueList] of drain(this.valueLists))
      this.valueLists.set(renamed(source), renamed(recordValueList));
    for (const [table, copies] of drain(this.rowCopies))
      this.rowCopies.set(renamed(table), new Map([...copies].map(([which, copy]) => [which, renamed(copy)])));
    const onlyCopies = [...this.onlyCopies];
    this.onlyCopies.clear();
    for (const copy of onlyCopies) this.onlyCopies.add(renamed(copy));
  }
}

function belongsTo(table: string, column: string): boolean {
  const [name = ''] = column.split('->', 1);
  return name.slice(0, name.lastIndexOf('.')) === table;
}

/** Removes all entries of a map and returns them. */
function drain<Value>(map: Map<string, Value>): readonly (readonly [string, Value])[] {
  const entries = [...map];
  map.clear();
  return entries;
}
