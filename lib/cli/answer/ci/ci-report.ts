import type { Terminal } from '../../screen/terminal';
import type { AnswerDocument, FailureDocument } from '../documents';
import { GitHubReport } from './github-report';
import { GitLabReport } from './gitlab-report';

/** What a CI system shows besides the lines of a job. Everything goes to stderr, or past the streams. */
export interface CiReport {
  /** Puts what is said meanwhile into a part of the log that can be folded. */
  section<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** The command has ended. */
  end(document: AnswerDocument | FailureDocument): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** For the system that runs this process, by the variables that it sets. */
export function ciReport(notes: Terminal, environment: Environment = process.env): CiReport {
  if (environment.GITHUB_ACTIONS === 'true') return new GitHubReport(notes, environment.GITHUB_STEP_SUMMARY);
  if (environment.GITLAB_CI === 'true') return new GitLabReport(notes);
  return { section: (_, run) => run(), end: () => {} };
}
