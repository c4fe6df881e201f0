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

type Check = (schema: Schema, value: unknown) => boolean;

/** The check of each keyword. A keyword for another type of value accepts it. */
const KEYWORDS: {
  readonly [name in Exclude<keyof Schema, '$ref'>]-?: (given: Required<Schema>[name], value: unknown, check: Check) => boolean;
} = {
  anyOf: (schemas, value, check) => schemas.some((schema) => check(schema, value)),
  type: (types, value) => [types].flat().some((type) => isOf(type, value)),
  const: (only, value) => value === only,
  enum: (values, value) => values.includes(value),
  minLength: (least, value) => typeof value !== 'string' || value.length >= least,
  minimum: (least, value) => typeof value !== 'number' || value >= least,
  items: (of, value, check) => !Array.isArray(value) || value.every((item) => check(of, item)),
  minItems: (least, value) => !Array.isArray(value) || value.length >= least,
  properties: (properties, value, check) =>
    !isRecord(value) || Object.entries(properties).every(([key, of]) => value[key] === undefined || check(of, value[key])),
  required: (keys, value) => !isRecord(value) || keys.every((key) => value[key] !== undefined),
  not: () => false,
};

/** Whether a value matches a definition. Unknown keys are allowed. */
export function matches<T>(definitions: Definitions, name: string, value: unknown): value is T {
  const check: Check = ({ $ref, ...keywords }, value) =>
    $ref === undefined
      ? Object.entries(keywords).every(([keyword, given]) =>
          KEYWORDS[keyword as keyof typeof KEYWORDS](given as never, value, check),
        )
      : check(definitions[$ref.slice('#/definitions/'.length)] as Schema, value);
  return check(definitions[name] as Schema, value);
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
