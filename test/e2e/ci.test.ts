import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import { migrateProject } from '../../examples/ci/aws/codebuild';
import type { NewMigration, RunResult } from '../../examples/local-aws';
import { MARKER } from '../../lib/review/reports/markdown';
import packageJson from '../../package.json';
import { type ActionRun, runAction, runWorkflow } from '../ci/github';
import { runPipeline } from '../ci/gitlab';
import { jobEnvironment, type Ran, runScript } from '../ci/job';
import { buildOf, pipelineIn, quickApp, templateWith } from '../ci/synthesized';
import { createTeam, type Team } from '../ci/team';
import { type Resource, resourcesOf } from '../constructs/support';
import { mustSucceed, useLocalAws } from './use-local-aws';

const ACCOUNT = '000000000000';
const REGION = 'eu-central-1';
const SIGNED_IN = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: REGION };

function addColumn(number: number, column: string): NewMigration {
  return {
    revision: `c1000000000${number}`,
    message: `Add ${column} to users`,
    upgrade: [`op.add_column("users", sa.Column("${column}", sa.String(32)))`],
  };
}
const PHONE = addColumn(1, 'phone');
const CITY = addColumn(2, 'city');
const COLOUR = addColumn(3, 'colour');

/*
 * The files run as they are. Replaced is what can't be here: checkout, setup-node, configure-aws-credentials, images and service
 * containers; `npm ci`, `pipx` and `apt-get` do nothing, for what they install is there, and `npx` starts it; the accounts are that of the local AWS,
 * which does not check permissions: test/ci/aws.test.ts reads them in the templates.
 */
describe('the files of examples/ci, with checkout, credentials and installations replaced', () => {
  // The tests tell one story: each finds what the one before has left.
  const shared = useLocalAws(
    (aws) => createTeam(aws, ['dev', 'prod']),
    async (aws) => mustSucceed(await aws.bootstrap()),
  );
  const team = (): Team => shared.prepared;
  afterAll(() => shared.prepared?.packages.stop());

  const heads = async (): Promise<string[][]> => [await team().version('dev'), await team().version('prod')];
  const columns = async (stage: string): Promise<unknown[]> =>
    (await team().rows(stage, "SELECT column_name FROM information_schema.columns WHERE table_name = 'users'")).map(
      ({ column_name }) => column_name,
    );
  const previous = (): string => team().backend.revisions().at(-2) as string;
  const setVersion = (revision: string): Promise<unknown> =>
    team().rows('dev', `UPDATE alembic_version SET version_num = '${revision}'`);
  /** Takes the newest revision of dev back. */
  const takeBack = async (column: string): Promise<void> => {
    await team().rows('dev', `ALTER TABLE users DROP COLUMN ${column}`);
    await setVersion(previous());
  };

  const github = () => ({ shell: team(), account: ACCOUNT });
  const OF_DEV = { 'inputs.stage': 'dev', 'inputs.account': ACCOUNT, 'inputs.region': REGION };

  const gitlab = (source = 'push') => ({ ...github(), source, token: 'a token of gitlab.com' });

  const allSucceeded = (ran: readonly Ran[]): void => {
    for (const { job, what, output, code } of ran)
      if (code !== 0) throw new Error(`${job}: ${what}\nexit code ${code}:\n${output}`);
  };

  describe('where cdk deploy migrates', () => {
    beforeAll(() => team().migrateOnDeploy(true));

    it('GitHub: deploy.yml migrates dev and then prod, each signed in with its own role', async () => {
      const { ran, replaced } = await runWorkflow('deploy.yml', github());

      allSucceeded(ran);
      const head = team().backend.revisions().slice(-1);
      expect(await heads()).toEqual([head, head]);
      const credentials = replaced.filter(({ uses }) => uses.startsWith('aws-actions/'));
      expect(credentials.map((step) => step.with)).toEqual(
        ['dev', 'prod'].map((stage) => ({
          'role-to-assume': `arn:aws:iam::${ACCOUNT}:role/template-saas-deploy-${stage}`,
          'aws-region': REGION,
        })),
      );
      const replacedActions = ['actions/checkout@v6', 'actions/setup-node@v6', 'aws-actions/configure-aws-credentials@v6'];
      expect([...new Set(replaced.map(({ uses }) => uses))].sort()).toEqual(replacedActions);
    });

    it('GitLab: a push to main migrates dev and, once someone starts it, prod', async () => {
      team().backend.writeMigration(PHONE);

      const { ran, manual } = await runPipeline(['migrates-on-deploy.gitlab-ci.yml'], gitlab());

      allSucceeded(ran);
      expect([ran.map(({ job }) => job), manual]).toEqual([['deploy-dev', 'deploy-prod'], ['deploy-prod']]);
      expect(await heads()).toEqual([[PHONE.revision], [PHONE.revision]]);
      expect(await columns('prod')).toContain('phone');
    });

    it('GitHub: deploy.yml stops with exit code 1 at the stage whose migration fails, and leaves the next stage unchanged', async () => {
      team().backend.writeMigration({ ...CITY, upgrade: ['op.alter_column("users", "nothing_of_this_name", nullable=False)'] });

      const { ran } = await runWorkflow('deploy.yml', github());

      expect(ran.at(-1)).toMatchObject({ job: 'dev/deploy', code: 1, output: expect.stringContaining('migration_failed') });
      expect(ran.at(-1)?.output).toContain(CITY.revision);
      expect(await heads()).toEqual([[PHONE.revision], [PHONE.revision]]);
    });
  });

  describe('where only CI migrates', () => {
    beforeAll(() => {
      team().migrateOnDeploy(false);
      team().backend.writeMigration(CITY);
    });

    it('GitHub: the plan is shown after the deploy, only the action migrates, and its outputs say what it did', async () => {
      const { ran, replaced } = await runWorkflow('stage-migrates-after-deploy.yml', github(), OF_DEV);

      allSucceeded(ran);
      expect(ran.find(({ what }) => what.includes('--command plan'))?.stdout).toContain(CITY.message);
      expect(ran.find(({ what }) => what.startsWith('echo'))?.stdout).toBe(`1 applied, ${PHONE.revision} -> ${CITY.revision}`);
      expect(await heads()).toEqual([[CITY.revision], [PHONE.revision]]);
      expect(await columns('dev')).toContain('city');
      expect(
        replaced
          .map((step) => step.with['role-to-assume'])
          .filter(Boolean)
          .slice(0, 2),
      ).toEqual([
        `arn:aws:iam::${ACCOUNT}:role/template-saas-deploy-dev`,
        `arn:aws:iam::${ACCOUNT}:role/template-saas-migrate-dev`,
      ]);
      // The job that migrates has no checkout: the action brought the command that belongs to it.
      expect(team().packages.installed).toEqual([packageJson.version]);
    });

    it('GitHub: a failed migration ends the job with exit code 1, and the gate does not run', async () => {
      await setVersion(previous());

      const { ran } = await runWorkflow('stage-migrates-after-deploy.yml', github(), OF_DEV, 'migrate');

      expect(ran.at(-1)).toMatchObject({ job: 'migrate', code: 1, output: expect.stringContaining('migration_failed') });
      expect(await team().version('dev')).toEqual([PHONE.revision]);
      await setVersion(CITY.revision);
    });

    it.each(['plan', 'upgrade'])('GitHub: migrate-by-hand.yml runs the chosen command: %s', async (command) => {
      const { ran } = await runWorkflow('migrate-by-hand.yml', github(), {
        'inputs.stage': 'dev',
        'inputs.command': command,
        'inputs.revision': '',
        'vars.AWS_ACCOUNT': ACCOUNT,
        'vars.AWS_REGION': REGION,
      });

      allSucceeded(ran);
      expect(ran[0]?.stderr).toContain('nothing to do');
    });

    it('GitLab: a push to main goes to dev and to prod, where the migration waits for someone', async () => {
      team().backend.writeMigration(COLOUR);

      const { ran, manual } = await runPipeline(['migrates-after-deploy.gitlab-ci.yml'], gitlab());

      allSucceeded(ran);
      const jobs = ['deploy-dev', 'migrate-dev', 'gate-dev', 'deploy-prod', 'migrate-prod', 'gate-prod'];
      expect([ran.map(({ job }) => job), manual]).toEqual([jobs, ['migrate-prod']]);
      expect(ran[3]?.stdout).toContain(`2 revisions pending to head (${COLOUR.revision})`);
      expect(await heads()).toEqual([[COLOUR.revision], [COLOUR.revision]]);
      expect(await columns('prod')).toEqual(expect.arrayContaining(['city', 'colour']));
    });

    it('GitLab: a failed migration ends the pipeline with exit code 1', async () => {
      await setVersion(previous());

      const { ran } = await runPipeline(['migrates-after-deploy.gitlab-ci.yml'], { ...gitlab(), retry: 'migrate-dev' });

      expect(ran.at(-1)).toMatchObject({ job: 'migrate-dev', code: 1, output: expect.stringContaining('migration_failed') });
      expect(await team().version('dev')).toEqual([CITY.revision]);
      await setVersion(COLOUR.revision);
    });

    it('the gate ends with exit code 3 while a migration is pending, and with 0 otherwise', async () => {
      const check = (): Promise<RunResult> => {
        const env = { ...jobEnvironment(team()), ...SIGNED_IN };
        return runScript(team(), ['bash', '-e'], 'npx migrate-invoke --stage dev --command check', env, team().checkout);
      };
      expect(await check()).toMatchObject({ code: 0 });
      await setVersion(previous());
      expect(await check()).toMatchObject({ code: 3 });
      await setVersion(COLOUR.revision);
    });

    describe('CodeBuild', () => {
      /** Runs a project's commands as CodeBuild does: in one shell, with the container's credentials. */
      const build = async ({ Properties }: Resource): Promise<RunResult> => {
        const { commands, variables } = buildOf(Properties);
        const server = createServer((_, response) => {
          const Expiration = new Date(Date.now() + 3_600_000).toISOString();
          response.end(JSON.stringify({ AccessKeyId: 'test', SecretAccessKey: 'test', Token: 'test', Expiration }));
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const env: NodeJS.ProcessEnv = {
          ...jobEnvironment(team()),
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          AWS_REGION: REGION,
          ...variables,
          MIGRATE_ROLE: variables.MIGRATE_ROLE?.replace(/\d{12}/, ACCOUNT),
        };
        delete env.AWS_CONFIG_FILE;
        const result = await runScript(team(), ['sh', '-e'], commands.join('\n'), env, team().checkout);
        server.close();
        return result;
      };

      it('the step of CDK Pipelines migrates with the role of the stage', async () => {
        const template = Template.fromStack(pipelineIn(quickApp(), ACCOUNT));
        const step = resourcesOf(template, 'AWS::CodeBuild::Project').find(
          ([, { Properties }]) => buildOf(Properties).variables.STAGE === 'dev',
        )?.[1] as Resource;
        await takeBack('colour');

        const result = await build(step);

        mustSucceed(result);
        expect(result.stdout).toContain(COLOUR.message);
        expect(await team().version('dev')).toEqual([COLOUR.revision]);
        expect(await columns('dev')).toContain('colour');
      });

      it('the separate project migrates, and ends with exit code 1 when a migration fails', async () => {
        const source = codebuild.Source.gitHub({ owner: 'OWNER', repo: 'REPO' });
        const template = templateWith((stack, migration) => migrateProject(stack, 'dev', migration, source));
        const [[, project]] = resourcesOf(template, 'AWS::CodeBuild::Project') as [[string, Resource]];
        await takeBack('colour');

        mustSucceed(await build(project));
        expect(await team().version('dev')).toEqual([COLOUR.revision]);
        expect(await columns('dev')).toContain('colour');

        await setVersion(previous());
        expect(await build(project)).toMatchObject({ code: 1, stderr: expect.stringContaining('migration_failed') });
        expect(await team().version('dev')).toEqual([CITY.revision]);
        await setVersion(COLOUR.revision);
      });
    });
  });

  describe('the action', () => {
    const run = (inputs: Record<string, string>, environment: NodeJS.ProcessEnv = {}): Promise<ActionRun> =>
      runAction(shared.aws, team().checkout, inputs, { ...jobEnvironment(team()), ...SIGNED_IN, ...environment });
    const injected = (): string => path.join(shared.aws.folder, 'injected');

    it('outputs from, to, count and status, and shows people what was done', async () => {
      await takeBack('colour');

      const result = await run({ stage: 'dev' });

      mustSucceed(result);
      expect(result.outputs).toEqual({ from: CITY.revision, to: COLOUR.revision, applied: '1', status: 'complete' });
      expect(result.stderr).toContain(COLOUR.message);
      expect(await team().version('dev')).toEqual([COLOUR.revision]);
      expect(await columns('dev')).toContain('colour');
    });

    it('runs a command that only reads, and changes nothing', async () => {
      await takeBack('colour');

      const result = await run({ stage: 'dev', command: 'plan' });

      expect(result).toMatchObject({
        code: 0,
        outputs: { from: CITY.revision, to: CITY.revision, applied: '0', status: 'pending' },
      });
      expect(await team().version('dev')).toEqual([CITY.revision]);
      expect(await columns('dev')).not.toContain('colour');
      mustSucceed(await run({ stage: 'dev', revision: '+1' }));
      expect(await team().version('dev')).toEqual([COLOUR.revision]);
    });

    it('fails with exit code 1 when a migration fails, names the revision and shows no password', async () => {
      await setVersion(previous());

      const result = await run({ stage: 'dev' });

      expect(result).toMatchObject({ code: 1, outputs: { from: '', to: '', applied: '0', status: 'failed' } });
      expect(result.stderr).toContain('migration_failed');
      expect(result.stderr).toContain(COLOUR.revision);
      expect(result.output).not.toContain(shared.aws.postgres.password);
      expect(await team().version('dev')).toEqual([CITY.revision]);
      await setVersion(COLOUR.revision);
    });

    it.each([
      ['2 for a revision that the code does not have', 2, { stage: 'dev', revision: 'ffffffffffff' }],
      ['3 for a downgrade that is not allowed', 3, { stage: 'dev', command: 'downgrade', revision: '-1' }],
      ['4 for a stage that does not exist', 4, { stage: 'nowhere' }],
      ['2 for an input that looks like an option', 2, { stage: '--help' }],
    ])('fails with the exit code of the command: %s', async (_, code, inputs) => {
      expect(await run(inputs)).toMatchObject({ code, outputs: { from: '', to: '', status: 'failed' } });
      expect(await team().version('dev')).toEqual([COLOUR.revision]);
    });

    it.each([
      ['a stage', 'is not a usable name', (file: string) => ({ stage: `dev"; touch ${file}; "` })],
      ['a stage', 'is not a usable name', (file: string) => ({ stage: `$(touch ${file})` })],
      ['an app name', 'is not a usable name', (file: string) => ({ stage: 'dev', 'app-name': `x\`touch ${file}\`` })],
      ['a revision', 'is not a revision', (file: string) => ({ stage: 'dev', revision: `head' && touch ${file} #` })],
      ['a command', 'unknown command', (file: string) => ({ stage: 'dev', command: `upgrade; touch ${file}` })],
      ['a version', 'is not a version of cdk-alembic', (file: string) => ({ stage: 'dev', version: `1; touch ${file}` })],
      // The others run the command that is installed in the checkout, this one the command that npm brings.
      [
        'a revision',
        'is not a revision',
        (file: string) => ({ version: '9.9.9', stage: 'dev', revision: `head' && touch ${file} #` }),
      ],
    ])('rejects %s that contains shell code, and runs none of it', async (name, words, inputs) => {
      const result = await run(inputs(injected()));
      expect(result).toMatchObject({ code: name === 'a version' ? 1 : 2, stderr: expect.stringContaining(words) });
      expect(existsSync(injected())).toBe(false);
      expect(await team().version('dev')).toEqual([COLOUR.revision]);
    });

    it('runs the version that is installed in the checkout, or the requested one', async () => {
      const before = team().packages.installed.length;
      mustSucceed(await run({ stage: 'dev', command: 'current' }));
      expect(team().packages.installed).toHaveLength(before);

      mustSucceed(await run({ stage: 'dev', command: 'current', version: '9.9.8' }));
      expect(team().packages.installed.slice(before)).toEqual(['9.9.8']);
    });

    it('says what to do if npm is missing', async () => {
      const result = await run({ stage: 'dev', version: '9.9.9' }, { PATH: shared.aws.folder });
      expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('put actions/setup-node before this step') });
    });
  });

  describe('review', () => {
    const OF_PULL_REQUEST = {
      'github.token': 'a token',
      'github.repository': 'OWNER/REPO',
      'github.event.pull_request.number': '7',
    };
    const reviews = {
      'GitHub: review.yml': () => runWorkflow('review.yml', github(), OF_PULL_REQUEST),
      'GitLab: review.gitlab-ci.yml': () => runPipeline(['review.gitlab-ci.yml'], gitlab('merge_request_event')),
    };
    const DROP: NewMigration = {
      revision: 'c10000000009',
      message: 'Drop full_name of users',
      upgrade: ['op.drop_column("users", "full_name")'],
      downgrade: ['op.add_column("users", sa.Column("full_name", sa.String(200)))'],
    };
    beforeAll(() => team().migrateOnDeploy(true));

    const report = (name: string): string => readFileSync(path.join(team().checkout, name), 'utf8');

    it('GitHub: review.yml fails where models and migrations differ, if the team has made drift an error', async () => {
      // The models of the sample do not have the columns that these tests add.
      team().backend.writeMigration(PHONE);

      const { ran } = await reviews['GitHub: review.yml']();

      expect(ran.at(-1)).toMatchObject({ job: 'migrations', code: 1, output: expect.stringMatching(/error +drift/) });
    });

    it.each(Object.entries(reviews))('%s stops a revision that would hurt production', async (_, review) => {
      for (const { revision } of [COLOUR, CITY, PHONE]) {
        if (team().backend.revisions().includes(revision)) team().backend.removeMigration(revision);
      }
      team().backend.writeMigration(DROP);

      const { ran } = await review();

      expect(ran.at(-1)).toMatchObject({ job: 'migrations', code: 1, output: expect.stringMatching(/error +drop-column/) });
      expect(report('review.html')).toContain('drop-column');
    });

    it.each(Object.entries(reviews))('%s passes what is safe, and synthesizes both stages', async (title, review) => {
      if (team().backend.revisions().includes(DROP.revision)) team().backend.removeMigration(DROP.revision);

      const { ran } = await review();

      allSucceeded(ran);
      const jobs = title.startsWith('GitHub') ? ['migrations', 'report', 'infrastructure'] : ['migrations', 'infrastructure'];
      expect([...new Set(ran.map(({ job }) => job))]).toEqual(jobs);
    });

    it('GitHub: review.yml writes one comment and hands the findings to code scanning', () => {
      const asked = readFileSync(path.join(shared.aws.folder, 'gh.log'), 'utf8');
      expect(asked).toContain('api --paginate repos/OWNER/REPO/issues/7/comments --jq ');
      expect(asked).toContain('api --silent --method POST repos/OWNER/REPO/issues/7/comments --field body=@review.md');
      expect(report('review.md')).toContain(MARKER);
      expect(JSON.parse(report('open.sarif')).version).toBe('2.1.0');
    });

    it("GitLab: review.gitlab-ci.yml writes GitLab's Code Quality", () => {
      expect(JSON.parse(report('gl-code-quality-report.json'))).toEqual([]);
    });
  });
});
