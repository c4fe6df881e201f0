import type { Node, RangeVar } from 'libpg-query';

/** A relation's name without `public`. */
export function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = '' } = relation ?? {};
  return schemaname && schemaname !== 'public' ? `${schemaname}.${relname}` : relname;
}

export function rangeName(node: Node): string {
  return 'RangeVar' in node ? nameOf(node.RangeVar) : '';
}

/** The name of an object that DROP or RENAME lists. */
export function listName(node: Node): string {
  if ('List' in node) return joined(node.List.items ?? []);
  if ('TypeName' in node) return joined(node.TypeName.names ?? []);
  if ('ObjectWithArgs' in node) return joined(node.ObjectWithArgs.objname ?? []);
  return text(node);
}

/** Joins the parts of a name with dots, without `public`. */
export function joined(names: readonly Node[]): string {
  return names
    .map(text)
    .filter((name, index) => !(index === 0 && names.length > 1 && name === 'public'))
    .join('.');
}

export function text(node: Node): string {
  return 'String' in node ? (node.String.sval ?? '') : '';
}

/** The columns that an expression names, each as its parts: `["users", "name"]`. */
export function columnsNamedIn(value: Node | undefined): readonly (readonly string[])[] {
  return [...JSON.stringify(value ?? {}).matchAll(/"ColumnRef":\{"fields":(\[.*?\])/g)].map(([, fields = '']) =>
    [...fields.matchAll(/"sval":"([^"]*)"/g)].map(([, name = '']) => name),
  );
}
