import { join } from 'node:path';
import { createGenerator, type Schema, type SchemaGenerator } from 'ts-json-schema-generator';

export type Types = SchemaGenerator;

/** The types that leave this project as JSON. One program for all of them: most of the time goes into its making. */
export function typesOf(root: string): Types {
  return createGenerator({
    path: join(
      root,
      'lib/{contract/**/*,cli/{migrate-invoke,migrate-package}/document,cli/safe-alembic/documents,review/finding}.ts',
    ),
    tsconfig: join(root, 'tsconfig.json'),
    skipTypeCheck: true,
    additionalProperties: true,
    expose: 'export',
    topRef: true,
  });
}

/** A type and everything that it refers to. A `@default` of this project is words for a reader, no value. */
export function definitionsOf(types: Types, name: string): Record<string, Schema> {
  const { definitions } = types.createSchema(name);
  return JSON.parse(JSON.stringify(definitions, (key, value) => (key === 'default' ? undefined : value)));
}
