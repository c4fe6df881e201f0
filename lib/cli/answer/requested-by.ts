import { userInfo } from 'node:os';
import { printable } from '../../client/printable';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that CI providers set to identify themselves and the run. */
const PROVIDERS: readonly [name: string, sign: string, run: string][] = [
  ['github', 'GITHUB_ACTIONS', 'GITHUB_RUN_ID'],
  ['gitlab', 'GITLAB_CI', 'CI_JOB_URL'],
  ['codebuild', 'CODEBUILD_BUILD_ID', 'CODEBUILD_BUILD_ID'],
  ['bitbucket', 'BITBUCKET_BUILD_NUMBER', 'BITBUCKET_BUILD_NUMBER'],
  ['circleci', 'CIRCLECI', 'CIRCLE_BUILD_URL'],
  ['buildkite', 'BUILDKITE', 'BUILDKITE_BUILD_URL'],
  ['azure', 'TF_BUILD', 'BUILD_BUILDID'],
  ['jenkins', 'JENKINS_URL', 'BUILD_URL'],
];

/** Who runs the command, for the run history: `ci <provider> <run>` or `person <name>`. */
export function requestedBy(environment: Environment = process.env): string {
  const [name, , run] = PROVIDERS.find(([, sign]) => environment[sign]) ?? [];
  if (name && run) return printable(`ci ${name} ${environment[run] ?? ''}`);
  return environment.CI ? 'ci' : printable(`person ${userName(environment)}`);
}

function userName(environment: Environment): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, the user id may have no name.
    return environment.USER ?? 'unknown';
  }
}
