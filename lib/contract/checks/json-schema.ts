import { isRecord } from './rules';

/** The part of JSON Schema that the answers' schemas use. The type rejects other keys, which would not be checked. */
export interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minLength?: number;
  readonly minimum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly properties?: { readonly [key: string]: Schema };
  readonly required?: readonly string[];
  /** `{}` allows any JSON; `not: {}` allows nothing, for a key that must be absent. */
  readonly not?: Record<string, never>;
}

export type Definitions = { readonly [name: string]: Schema };

/** Whether a value matches a definition. Unknown keys are allowed. */
export function fits<T>(definitions: Definitions, name: string, value: unknown): value is T {
  return check(definitions[name] as Schema, value);

  function check(schema: Schema, it: unknown): boolean {
    if (schema.$ref !== undefined) return check(definitions[schema.$ref.slice('#/definitions/'.length)] as Schema, it);
    if (schema.not || (schema.anyOf && !schema.anyOf.some((one) => check(one, it)))) return false;
    if ('const' in schema && it !== schema.const) return false;
    if (schema.enum && !schema.enum.includes(it)) return false;
    if (schema.type !== undefined && ![schema.type].flat().some((type) => isOf(type, it))) return false;
    if (typeof it === 'string') return it.length >= (schema.minLength ?? 0);
    if (typeof it === 'number') return it >= (schema.minimum ?? it);
    if (Array.isArray(it)) {
      const { items, minItems = 0 } = schema;
      return it.length >= minItems && (items === undefined || it.every((item) => check(items, item)));
    }
    if (!isRecord(it)) return true;
    if (schema.required?.some((key) => it[key] === undefined)) return false;
    return Object.entries(schema.properties ?? {}).every(([key, of]) => it[key] === undefined || check(of, it[key]));
  }
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
