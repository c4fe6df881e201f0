import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installation } from '../local/installation';
import type { Finding } from './finding';
import type { AnalyzedRevision, RevisionFunction, Step } from './revision/analyzed-revision';
import type { Change } from './revision/change';

/** A finding as squawk reports it. */
interface SquawkFinding {
  readonly file: string;
  /** From 0. */
  readonly line: number;
  readonly message: string;
  readonly help: string | null;
  readonly rule_name: string;
}

/** The statements of one transaction, which squawk gets as one file. */
interface Script {
  readonly revision: AnalyzedRevision;
  readonly part: RevisionFunction;
  readonly text: string;
  /** The step of each line. */
  readonly steps: readonly (Step | undefined)[];
}

/** squawk's rules that our rules cover with more context than the SQL: what ours accept is not a finding. */
const COVERED_RULES = [
  'adding-field-with-default',
  'adding-foreign-key-constraint',
  'adding-not-nullable-field',
  'adding-required-field',
  'adding-serial-primary-key-field',
  'ban-alter-domain-with-add-constraint',
  'ban-concurrent-index-creation-in-transaction',
  'ban-drop-column',
  'ban-drop-table',
  'changing-column-type',
  'constraint-missing-not-valid',
  'disallowed-unique-constraint',
  'identifier-too-long',
  'prefer-repack',
  'prefer-timestamp-tz',
  'renaming-column',
  'renaming-table',
  'require-concurrent-index-creation',
  'require-concurrent-index-deletion',
  'require-concurrent-partition-detach',
  'require-concurrent-reindex',
];

/** squawk's rules that make no sense here. */
const EXCLUDED_RULES = [
  // The runner sets both.
  'require-lock-timeout',
  'require-statement-timeout',
  'require-timeout-settings',
  // Alembic's version table and transactions ensure that nothing runs twice.
  'prefer-robust-stmts',
  // integer-primary-key checks it for keys, where it matters.
  'prefer-bigint-over-int',
  'prefer-bigint-over-smallint',
  // A release that stops writing a column needs it.
  'ban-drop-not-null',
  // Matters of taste: SQLAlchemy's String(n) sets a length.
  'prefer-text-field',
  'prefer-identity',
  'require-enum-value-ordering',
  // Each file is a whole transaction.
  'transaction-nesting',
  'ban-uncommitted-transaction',
];

/** Names that squawk reports besides its rules and that can't be excluded. PostgreSQL's own grammar decides what is a syntax error. */
const NO_RULES = ['unused-ignore', 'syntax-error'];

/** squawk's findings that our rules do not cover; undefined if its binary is not installed: some platforms have none. */
export async function squawk(change: Change): Promise<readonly Finding[] | undefined> {
  const binary = findBinary();
  if (!binary) return undefined;
  const scripts = change.revisions.flatMap(scriptsOf);
  if (!scripts.length) return [];
  const directory = mkdtempSync(join(tmpdir(), 'cdk-alembic-squawk-'));
  try {
    // No await before it starts: it runs in parallel with the rules.
    scripts.forEach(({ text }, at) => {
      writeFileSync(join(directory, `${at}.sql`), text);
    });
    const found = await runSquawk(binary, directory, change.input.postgres);
    return found.flatMap((finding) => {
      const script = scripts[Number.parseInt(finding.file.replace(/^.*[\\/]/, ''), 10)];
      return script ? toFindings(finding, script) : [];
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function findBinary(): string | undefined {
  const { squawk: named } = installation();
  if (named) return named;
  try {
    const { getBinaryPath } = createRequire(__filename)('squawk-cli/js/index.js') as { getBinaryPath(): string };
    return getBinaryPath();
  } catch {
    return undefined;
  }
}

/** One file per transaction: given a whole history, squawk treats every table as new and finds nothing. */
function scriptsOf(revision: AnalyzedRevision): readonly Script[] {
  return revision.parts.flatMap((part) => {
    const scripts: Script[] = [];
    const numbers = [...new Set(part.steps.map(({ transaction }) => transaction))];
    for (const transaction of numbers) {
      const statements = [...new Map(part.steps.map((step) => [step.index, step])).values()].filter(
        (step) => step.sql && step.transaction === transaction && step.action.does !== 'unparsed',
      );
      if (!statements.length) continue;
      const inside = transaction >= 0;
      const lines = statements.flatMap((step) => `${asVarchar(step.sql)};`.split('\n').map((line) => ({ line, step })));
      const text = lines.map(({ line }) => line).join('\n');
      scripts.push({
        revision,
        part,
        text: inside ? `BEGIN;\n${text}\nCOMMIT;\n` : `${text}\n`,
        steps: [...(inside ? [undefined] : []), ...lines.map(({ step }) => step)],
      });
    }
    return scripts;
  });
}

/** squawk mistakes `character varying` for `character`. */
function asVarchar(sql: string): string {
  return sql.replace(/\bchar(?:acter)?[ \t]+varying\b/gi, 'varchar');
}

function runSquawk(binary: string, directory: string, postgres: string | undefined): Promise<readonly SquawkFinding[]> {
  const version = /^\d+(?:\.\d+)?/.exec(postgres ?? '')?.[0];
  const options = [
    '--reporter',
    'json',
    `--exclude=${[...COVERED_RULES, ...EXCLUDED_RULES].join(',')}`,
    ...(version ? [`--pg-version=${version}`] : []),
  ];
  return new Promise((resolve, reject) => {
    execFile(binary, [...options, '*.sql'], { cwd: directory, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      try {
        // It exits with 1 if it finds something.
        resolve(JSON.parse(stdout) as SquawkFinding[]);
      } catch {
        reject(new Error(`squawk did not answer: ${stderr.trim() || error?.message}`));
      }
    });
  });
}

function toFindings(found: SquawkFinding, { revision, part, steps }: Script): readonly Finding[] {
  const step = steps[found.line];
  if (!step || NO_RULES.includes(found.rule_name)) return [];
  const { action, place } = step;
  if ('table' in action && action.does !== 'create table' && !step.isExisting(action.table)) return [];
  const { revision: id, file } = revision.facts;
  return [
    {
      ...place,
      rule: `squawk-${found.rule_name}`,
      severity: 'warning',
      revision: id,
      file,
      direction: part.direction,
      message: [found.message, found.help].filter(Boolean).join(' '),
      seen: 'source',
    },
  ];
}
