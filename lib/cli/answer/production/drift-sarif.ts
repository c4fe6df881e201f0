import type { DriftReport } from '../../../contract';

/**
 * Drift as SARIF 2.1.0. A database has no files: each object is a logical location.
 *
 * @param version of the package
 */
export function driftSarif({ objects }: DriftReport, stage: string, version: string): string {
  const rules = [...new Set(objects.map(({ change }) => `drift-${change}`))];
  const run = {
    tool: {
      driver: {
        name: 'cdk-alembic',
        version,
        rules: rules.map((id) => ({ id, shortDescription: { text: `An object was ${id.slice('drift-'.length)} by hand` } })),
      },
    },
    invocations: [{ executionSuccessful: true }],
    results: objects.map(({ change, object, kept, found, ddl }) => ({
      ruleId: `drift-${change}`,
      ruleIndex: rules.indexOf(`drift-${change}`),
      level: 'error',
      message: {
        text: [
          `${object} was ${change} by hand in stage ${stage}`,
          ...(kept ? [`was: ${kept}`] : []),
          ...(found ? [`is: ${found}`] : []),
          ...(ddl ? [`to restore: ${ddl}`] : []),
        ].join('\n'),
      },
      locations: [{ logicalLocations: [{ fullyQualifiedName: object }] }],
      partialFingerprints: { object: `${stage} ${object}` },
    })),
  };
  const document = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
  return `${JSON.stringify(document, null, 2)}\n`;
}
