import { codeBlock, escaped } from '../../text/markdown';
import { plain } from '../../text/plain';
import type { Finding, Review } from '../finding';
import { RULES } from '../rules';
import { withFingerprints } from './fingerprint';
import { acceptance, capitalized, explanationOf } from './phrases';
import { repositoryPath } from './repository-path';

/**
 * SARIF 2.1.0, which code scanning and editors read.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 *
 * @param folder the project's folder from the repository's root
 */
export function sarifReport(review: Review, folder: string): string {
  const rules = [...new Set(review.findings.map(({ rule }) => rule))];
  const run = {
    tool: {
      driver: { name: 'cdk-alembic', version: review.version, rules: rules.map((id) => rule(id, review.findings)) },
    },
    originalUriBaseIds: { '%SRCROOT%': { description: { text: 'the root of the repository' } } },
    columnKind: 'utf16CodeUnits',
    invocations: [{ executionSuccessful: true, toolExecutionNotifications: notReplayed(review, folder) }],
    results: withFingerprints(review.findings).map(({ finding, fingerprint }) => ({
      ruleId: finding.rule,
      ruleIndex: rules.indexOf(finding.rule),
      // Code scanning ignores suppressions: acknowledged findings must not fail its check.
      level: finding.acknowledged === undefined ? finding.severity : 'note',
      message: message(finding),
      locations: [location(repositoryPath(folder, finding.file), finding.line)],
      // The only name that code scanning reads.
      partialFingerprints: { primaryLocationLineHash: fingerprint },
      ...(finding.acknowledged === undefined
        ? {}
        : { suppressions: [{ kind: 'inSource', status: 'accepted', justification: plain(finding.acknowledged) }] }),
      properties: { revision: finding.revision, direction: finding.direction, seen: finding.seen, statement: finding.statement },
    })),
  };
  const document = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function rule(id: string, findings: readonly Finding[]): object {
  const of = findings.filter((finding) => finding.rule === id);
  const info = RULES.find((known) => known.id === id);
  const name = capitalized(info?.title ?? id.replaceAll('-', ' '));
  const example = of.find(({ instead }) => instead !== undefined)?.instead;
  const [where, what] = acceptance({ rule: id, revision: of[0]?.revision });
  const intended = `If this is intended, ${where}:`;
  return {
    id,
    name: id,
    shortDescription: { text: name },
    help: {
      text: [
        `${name}.`,
        ...(example === undefined ? [] : [`Instead, as in one of the findings:\n${example}`]),
        `${intended}\n${what}`,
        `More: ${explanationOf(id)}`,
      ].join('\n\n'),
      markdown: [
        `**${escaped(name)}**`,
        ...(example === undefined ? [] : [`Instead, as in one of the findings:\n\n${codeBlock('python', example)}`]),
        `${intended}\n\n${codeBlock('python', what)}`,
        `More: \`${explanationOf(id)}\``,
      ].join('\n\n'),
    },
    defaultConfiguration: { level: of.some(({ severity }) => severity === 'error') ? 'error' : 'warning' },
    properties: { tags: ['migration', ...(info ? [info.group] : [])] },
  };
}

function message({ message, instead }: Finding): object {
  const text = plain(message);
  return { text: instead === undefined ? text : `${text}\n\nInstead:\n${instead}` };
}

function notReplayed({ revisions }: Review, folder: string): object[] {
  return revisions.flatMap(({ revision, file, notReplayed: reason }) =>
    reason === undefined
      ? []
      : [
          {
            level: 'note',
            message: { text: `${plain(revision)} was judged from source and SQL alone: ${plain(reason)}` },
            locations: [location(repositoryPath(folder, file), 1)],
          },
        ],
  );
}

function location(path: string, startLine: number): object {
  const uri = path.split('/').map(encodeURIComponent).join('/');
  return { physicalLocation: { artifactLocation: { uri, uriBaseId: '%SRCROOT%' }, region: { startLine } } };
}
