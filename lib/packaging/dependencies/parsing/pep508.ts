import type { Edge } from './locked-graph';
import { normalized } from './requirement';

/** A dependency specifier, https://packaging.python.org/en/latest/specifications/dependency-specifiers/ */
export interface Dependency {
  readonly name: string;
  readonly extras: readonly string[];
  readonly marker?: string;
}

export function parseDependency(text: string): Dependency {
  const [, name = '', extras = '', rest = ''] = /^\s*([\w.-]+)\s*(?:\[([^\]]*)\])?(.*)$/s.exec(text) ?? [];
  // In an address, a semicolon starts a marker only after a space.
  const [, marker] = (rest.includes('@') ? /\s;\s*(.*)$/ : /;\s*(.*)$/).exec(rest) ?? [];
  return {
    name: normalized(name),
    extras: extras.split(',').flatMap((extra) => (extra.trim() ? [normalized(extra.trim())] : [])),
    ...(marker && { marker: marker.trim() }),
  };
}

export function toEdge({ name, extras, marker }: Dependency): Edge {
  return { name, extras, ...(marker && { marker }) };
}
