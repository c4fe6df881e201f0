import { annotation, data } from '../../../text/workflow-command';
import { count, plain, type Terminal } from '../../screen/terminal';
import { type AnswerDocument, type FailureDocument, isFailureDocument } from '../documents';
import { warningsOf } from '../show-answer';
import { addToJobSummary } from './job-summary';
import type { CiReport } from './report';
import { summary } from './summary';

/**
 * Groups and annotations, which GitHub reads from both streams, and a job summary.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 *
 * Needs no `add-mask`: the runner redacts passwords before they leave the function, and credentials are never printed.
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
    if (text !== undefined) addToJobSummary(this.notes, text, this.summaryFile);
  }

  private annotate(document: AnswerDocument | FailureDocument): void {
    if (isFailureDocument(document)) {
      const { code, message, next, revision } = document.error;
      const title = revision ? `${code}: ${revision}` : code;
      this.notes.line(annotation({ level: 'error', title, message: `${plain(message)}\nnext: ${plain(next)}` }));
      return;
    }
    if (document.atHead === false) {
      const { status, pending, unknown } = document;
      const message = status === 'ahead' ? `not in the code: ${unknown.join(', ')}` : `${count(pending.length)} pending`;
      this.notes.line(annotation({ level: 'error', title: 'the database is not at head', message }));
    }
    for (const warning of warningsOf(document)) {
      this.notes.line(annotation({ level: 'warning', title: 'migration', message: plain(warning) }));
    }
  }
}
