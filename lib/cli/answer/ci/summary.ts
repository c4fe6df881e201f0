import { type DriftReport, driftCount, type RevisionInfo } from '../../../contract';
import { code, escaped } from '../../../text/markdown';
import { count, duration, revisionNames } from '../../screen/terminal';
import { type AnswerDocument, type FailureDocument, isFailureDocument } from '../documents';

/** GitHub rejects a summary of more than 1 MiB. */
const MAX_ROWS = 1_000;

/** The command's result as Markdown; undefined if there is nothing to show, as with `current`. */
export function summary(document: AnswerDocument | FailureDocument): string | undefined {
  const lines = isFailureDocument(document) ? failure(document) : answer(document);
  return lines && `${lines.join('\n')}\n\n`;
}

function answer(document: AnswerDocument): string[] | undefined {
  const { command, stage, from, to, applied, pending, drift } = document;
  const title = `### Migrations of ${code(stage)}`;
  if (command === 'current' || command === 'history' || command === 'statistics') return undefined;
  if (drift) return [`### Drift of ${code(stage)}: ${driftState(drift)}`, ...driftTable(drift)];
  if (command === 'plan' || command === 'check') {
    return [`${title}: ${position(document)}`, ...table(pending, ['revision', 'message'], row)];
  }
  if (command === 'stamp') return [`${title}: stamped`, '', way(from, to)];
  if (applied.length === 0) return [`${title}: nothing to do`, '', `at ${code(revisionNames(to))}`];
  const done = `${count(applied.length)} ${command === 'downgrade' ? 'reverted' : 'applied'}`;
  return [`${title}: ${done}`, '', way(from, to), ...appliedTable(applied)];
}

function position({ status, pending }: AnswerDocument): string {
  if (status === 'ahead') return 'ahead of the code';
  return pending.length > 0 ? `${count(pending.length)} pending` : 'at head';
}

function driftState(drift: DriftReport): string {
  if (drift.status === 'drifted') return `${driftCount(drift)} changed by hand`;
  return drift.status === 'none' ? 'none' : 'could not be determined';
}

function driftTable({ reason, objects }: DriftReport): string[] {
  const rows = table(objects, ['object', 'changed by hand'], ({ object, change }) => [code(object), change]);
  return [...(reason ? ['', escaped(reason)] : []), ...rows];
}

function failure({ error, applied }: FailureDocument): string[] {
  const facts = (['revision', 'sqlState', 'statement'] as const).flatMap((name) => {
    const value = error[name];
    return value === undefined ? [] : [`- ${name}: ${code(value)}`];
  });
  const losses = (error.dataLoss ?? []).map(
    ({ file, line, what }) => `- destroys data: ${code(`${file}:${line}`)} ${code(what)}`,
  );
  return [
    `### Migration failed: ${code(error.code)}`,
    '',
    escaped(error.message),
    '',
    ...facts,
    ...losses,
    `- next: ${escaped(error.next)}`,
    ...appliedTable(applied),
  ];
}

function appliedTable(applied: FailureDocument['applied']): string[] {
  return table(applied, ['applied', 'message', 'time', 'statements'], (revision) => [
    ...row(revision),
    duration(revision.durationMs),
    String(revision.statements),
  ]);
}

function row({ revision, message }: RevisionInfo): string[] {
  return [code(revision), escaped(message)];
}

function table<T>(items: readonly T[], head: readonly string[], cells: (item: T) => readonly string[]): string[] {
  if (items.length === 0) return [];
  const line = (texts: readonly string[]) => `| ${texts.join(' | ')} |`;
  const rows = items.slice(0, MAX_ROWS).map((item) => line(cells(item)));
  const more = items.length > MAX_ROWS ? ['', `and ${items.length - MAX_ROWS} more`] : [];
  return ['', line(head), line(head.map(() => '---')), ...rows, ...more];
}

function way(from: readonly string[], to: readonly string[]): string {
  return `${code(revisionNames(from))} → ${code(revisionNames(to))}`;
}
