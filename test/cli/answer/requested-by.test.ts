import { userInfo } from 'node:os';
import { requestedBy } from '../../../lib/cli/answer/requested-by';
import { requestProblems } from '../../../lib/contract';

describe('the history says who ran the command', () => {
  test.each([
    [{ GITHUB_ACTIONS: 'true', GITHUB_RUN_ID: '4711', CI: 'true' }, 'ci github 4711'],
    [{ GITLAB_CI: 'true', CI_JOB_URL: 'https://gitlab.example/jobs/7', CI: 'true' }, 'ci gitlab https://gitlab.example/jobs/7'],
    [{ CODEBUILD_BUILD_ID: 'project:uuid' }, 'ci codebuild project:uuid'],
    [{ JENKINS_URL: 'https://ci.example', BUILD_URL: 'https://ci.example/job/1' }, 'ci jenkins https://ci.example/job/1'],
    [{ GITHUB_ACTIONS: 'true' }, 'ci github'],
    [{ CI: '1' }, 'ci'],
    [{}, `person ${userInfo().username}`],
  ])('%j: %s', (environment, name) => expect(requestedBy(environment)).toBe(name));

  test.each(['jobs/ü/漢\n', 'x'.repeat(300)])('in characters that a request accepts (%j)', (url) => {
    const name = requestedBy({ GITLAB_CI: 'true', CI_JOB_URL: url });
    expect(requestProblems({ requestedBy: name })).toEqual([]);
  });
});
