import { appendFileSync } from 'node:fs';
import { type AnswerDocument, type FailureDocument, isFailureDocument } from '../documents';
import { warningsOf } from '../show-answer';
import { count, plain, type Terminal } from '../terminal';
import type { CiReport } from './ci-report';
import { summary } from './summary';

/**
 * Groups and annotations, which GitHub reads from both streams, and a job summary.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 *
 * No `add-mask`: nothing that is printed is a secret. The runner redacts passwords before they leave the function, and credentials
 * are never printed.
 */
export class GitHubReport implements CiReport {
  constructor(
    private readonly notes: Terminal,
    private readonly summaryFile: string | undefined,
  ) {}

  async section<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.notes.line(`::group::${data(name)}`);
    try {
      return await run();
    } finally {
      this.notes.line('::endgroup::');
    }
  }

  end(document: AnswerDocument | FailureDocument): void {
    this.annotate(document);
    const text = summary(document);
    if (this.summaryFile === undefined || this.summaryFile === '' || text === undefined) return;
    try {
      appendFileSync(this.summaryFile, text);
    } catch (error) {
      this.notes.warning(`the job summary can't be written: ${(error as Error).message}`);
    }
  }

  private annotate(document: AnswerDocument | FailureDocument): void {
    if (isFailureDocument(document)) {
      const { code, message, next, revision } = document.error;
      this.notes.line(annotation('error', revision ? `${code}: ${revision}` : code, `${plain(message)}\nnext: ${plain(next)}`));
      return;
    }
    if (document.atHead === false) {
      const { status, pending, unknown } = document;
      const what = status === 'ahead' ? `not known to the code: ${unknown.join(', ')}` : `${count(pending.length)} pending`;
      this.notes.line(annotation('error', 'the database is not at head', what));
    }
    for (const warning of warningsOf(document)) this.notes.line(annotation('warning', 'migration', plain(warning)));
  }
}

function annotation(level: 'error' | 'warning', title: string, message: string): string {
  return `::${level} title=${property(title)}::${data(message)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
