import { definitionsOf, type Types } from './types';

const DOCUMENTS = [
  {
    file: 'migrate-invoke',
    type: 'MigrateInvokeDocument',
    title: 'What migrate-invoke --json prints',
    description:
      'Always one document on stdout. Within a contract version, no key is removed or changes its meaning; keys may be added.',
  },
  {
    file: 'migrate-package',
    type: 'MigratePackageDocument',
    title: 'What migrate-package prints',
    description:
      'One document on stdout if the backend is packaged. No key is removed or changes its meaning; keys may be added.',
  },
  {
    file: 'safe-alembic',
    type: 'SafeAlembicDocument',
    title: 'What safe-alembic --json prints',
    description:
      'Always one document on stdout, even on failure; `review` prints one of review.json. Within a version, no key is removed or changes its meaning; keys may be added.',
  },
  {
    file: 'review',
    type: 'Review',
    title: 'What safe-alembic review --json prints',
    description: 'Within a version of the review, no key is removed or changes its meaning; keys may be added.',
  },
];

/** The JSON Schemas of what the commands print. */
export function documentSchemas(types: Types): Record<string, string> {
  return Object.fromEntries(
    DOCUMENTS.map(({ file, type, title, description }) => {
      const { [type]: document, ...definitions } = definitionsOf(types, type);
      const $schema = 'http://json-schema.org/draft-07/schema#';
      const schema = { $schema, title, ...(document as object), description, definitions };
      return [`schema/${file}.json`, JSON.stringify(schema, null, 2)];
    }),
  );
}
