import type { DriftedObject } from '../../../contract';

/** Objects that were changed by hand in one place. */
export interface Drifted {
  /** The place, such as `stage prod`. */
  readonly where: string;
  /** Identifies the place in another run. */
  readonly place: string;
  readonly objects: readonly DriftedObject[];
}

/**
 * Drift as SARIF 2.1.0. A database has no files: each object is a logical location.
 *
 * @param version of the package
 */
export function driftSarif(places: readonly Drifted[], version: string): string {
  const all = places.flatMap(({ where, place, objects }) => objects.map((object) => ({ where, place, ...object })));
  const rules = [...new Set(all.map(({ change }) => `drift-${change}`))];
  const run = {
    tool: {
      driver: {
        name: 'cdk-alembic',
        version,
        rules: rules.map((id) => ({ id, shortDescription: { text: `An object was ${id.slice('drift-'.length)} by hand` } })),
      },
    },
    invocations: [{ executionSuccessful: true }],
    results: all.map(({ where, place, change, object, kept, found, ddl }) => ({
      ruleId: `drift-${change}`,
      ruleIndex: rules.indexOf(`drift-${change}`),
      level: 'error',
      message: {
        text: [
          `${object} was ${change} by hand in ${where}`,
          ...(kept ? [`was: ${kept}`] : []),
          ...(found ? [`is: ${found}`] : []),
          ...(ddl ? [`to restore: ${ddl}`] : []),
        ].join('\n'),
      },
      locations: [{ logicalLocations: [{ fullyQualifiedName: object }] }],
      partialFingerprints: { object: `${place} ${object}` },
    })),
  };
  const document = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
  return `${JSON.stringify(document, null, 2)}\n`;
}
