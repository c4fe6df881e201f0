/*
 * npm run demo
 *
 * The whole workflow on this machine: a PostgreSQL, a local AWS, and the real CDK command line, which deploys the sample in
 * examples/template-saas. Every step checks the database, and the demo fails if a step does not do what it says.
 */
import { showCdkProgress } from './demo/cdk-progress';
import { createDemoStage, type DemoStage, expectThat } from './demo/demo-stage';
import { createScreen, type Screen } from './demo/screen';
import { type LocalAws, type NewMigration, withLocalAws } from './local-aws';

const ADD_PHONE: NewMigration = {
  revision: '0a1b2c3d4e01',
  message: 'Add phone to users',
  upgrade: ['op.add_column("users", sa.Column("phone", sa.String(32)))'],
};
const ADD_NICKNAME: NewMigration = {
  revision: '0a1b2c3d4e02',
  message: 'Add nickname to users',
  upgrade: ['op.add_column("users", sa.Column("nickname", sa.String(50)))'],
};
const REQUIRE_COUNTRY: NewMigration = {
  revision: '0a1b2c3d4e03',
  message: 'Require country of users',
  upgrade: ['op.add_column("users", sa.Column("country", sa.String(2), nullable=False))'],
};
const REQUIRE_COUNTRY_REPAIRED: NewMigration = {
  ...REQUIRE_COUNTRY,
  upgrade: ['op.add_column("users", sa.Column("country", sa.String(2), nullable=False, server_default="DE"))'],
};

async function demo(screen: Screen): Promise<void> {
  screen.heading('Alembic migrations with cdk deploy, entirely on this machine');
  screen.step('Start PostgreSQL and a local AWS');
  await withLocalAws(
    (aws) => deployAndMigrate(screen, aws),
    (tool) => screen.say(`installing ${tool} into .cache/tools (only the first time)`),
  );
  screen.good('PostgreSQL and the local AWS are stopped, their files removed');
  screen.summary();
}

async function deployAndMigrate(screen: Screen, aws: LocalAws): Promise<void> {
  screen.good(`PostgreSQL answers on ${aws.postgres.host}:${aws.postgres.port}`);
  screen.good(`the local AWS answers on ${aws.ministack.url} (MiniStack, region ${aws.region})`);
  await bootstrap(screen, aws);
  const dev = await createDemoStage(screen, aws);
  await firstDeploy(screen, dev);
  await secondDeploy(screen, dev);
  await byHand(screen, dev);
  await failingMigration(screen, dev);
  await repair(screen, dev);
  await destroy(screen, dev);
  screen.step('Stop everything');
}

async function bootstrap(screen: Screen, aws: LocalAws): Promise<void> {
  screen.step('Prepare the local AWS for the CDK');
  screen.command('npx cdk bootstrap');
  const { code, output } = await aws.bootstrap({ onLine: showCdkProgress(screen) });
  expectThat(screen, 'the account is bootstrapped', code, 0, output);
}

async function firstDeploy(screen: Screen, dev: DemoStage): Promise<void> {
  screen.step('Deploy stage dev to an empty database');
  expectThat(screen, 'no table is there', (await dev.state()).tables, []);
  screen.say('(omitted below, because only this machine needs them: -c databaseSecretArn, backend, architecture, pythonVersion)');
  const { code, output } = await dev.deploy();
  expectThat(screen, 'cdk deploy ends with exit code 0', code, 0, output);
  const { version, tables } = await dev.state();
  const revisions = dev.revisions();
  expectThat(screen, `all ${revisions.length} migrations are applied`, version, revisions.slice(-1), output);
  expectThat(screen, 'the tables are there', tables, ['items', 'notifications', 'projects', 'users'], output);
  await dev.show();
}

async function secondDeploy(screen: Screen, dev: DemoStage): Promise<void> {
  screen.step('Add a migration and deploy again');
  await dev.addUsers();
  dev.writeMigration(ADD_PHONE);
  const { code, output } = await dev.deploy();
  expectThat(screen, 'cdk deploy ends with exit code 0', code, 0, output);
  const { version, userColumns, users } = await dev.state();
  expectThat(screen, 'the new migration is applied', version, [ADD_PHONE.revision], output);
  expectThat(screen, 'users has the column phone and kept its rows', [userColumns.includes('phone'), users], [true, 2], output);
  await dev.show();
}

async function byHand(screen: Screen, dev: DemoStage): Promise<void> {
  screen.step('Migrate by hand, as CI or a person does');
  const before = await dev.state();
  const nothing = await dev.migrateInvoke();
  expectThat(screen, 'migrate-invoke ends with exit code 0', nothing.code, 0, nothing.output);
  expectThat(screen, 'there was nothing to do, and nothing was done', await dev.state(), before, nothing.output);

  screen.say('now a hotswap, which only ships the code and runs no migration:');
  dev.writeMigration(ADD_NICKNAME);
  const hotswap = await dev.deploy('--hotswap');
  expectThat(screen, 'the code is there', hotswap.code, 0, hotswap.output);
  expectThat(screen, 'the database is as it was', await dev.state(), before, hotswap.output);
  const plan = await dev.migrateInvoke('--command', 'plan');
  expectThat(screen, 'the plan names what is pending', plan.stdout.includes(ADD_NICKNAME.revision), true, plan.output);
  const { code, output } = await dev.migrateInvoke();
  expectThat(screen, 'migrate-invoke ends with exit code 0', code, 0, output);
  const { version, userColumns } = await dev.state();
  expectThat(
    screen,
    'users has the column nickname',
    [version, userColumns.includes('nickname')],
    [[ADD_NICKNAME.revision], true],
  );
}

async function failingMigration(screen: Screen, dev: DemoStage): Promise<void> {
  screen.step('Deploy a migration that fails');
  const before = await dev.state();
  screen.say('a required column without a value for existing rows:');
  dev.writeMigration(REQUIRE_COUNTRY);
  const { code, output } = await dev.deploy();
  expectThat(screen, 'cdk deploy ends with exit code 1', code, 1, output);
  const reason = reasonOf(output);
  screen.say('it says:');
  const [facts = '', next = ''] = reason.split('; next: ');
  for (const part of [...facts.split('; '), `next: ${next}`]) screen.bad(part);
  expectThat(screen, 'the reason names the revision', reason.includes(REQUIRE_COUNTRY.revision), true, output);
  expectThat(screen, 'the database is untouched', await dev.state(), before, output);
  await dev.show();
}

async function repair(screen: Screen, dev: DemoStage): Promise<void> {
  screen.step('Fix the migration and deploy');
  dev.writeMigration(REQUIRE_COUNTRY_REPAIRED);
  const { code, output } = await dev.deploy();
  expectThat(screen, 'cdk deploy ends with exit code 0', code, 0, output);
  const { version, userColumns, users } = await dev.state();
  expectThat(screen, 'the repaired migration is applied', version, [REQUIRE_COUNTRY.revision], output);
  expectThat(
    screen,
    'users has the column country and kept its rows',
    [userColumns.includes('country'), users],
    [true, 2],
    output,
  );
  await dev.show();
}

async function destroy(screen: Screen, dev: DemoStage): Promise<void> {
  screen.step('Destroy the stack');
  const before = await dev.state();
  const { code, output } = await dev.destroy();
  expectThat(screen, 'cdk destroy ends with exit code 0', code, 0, output);
  expectThat(screen, 'the database is as it was', await dev.state(), before, output);
}

/** The deploy's output about the failed resource. */
function reasonOf(output: string): string {
  return /_FAILED .*?Error: (.*)/.exec(output)?.[1] ?? '';
}

const screen = createScreen(process.stdout, process.env, 9);
process.on('exit', (code) => {
  if (code > 128) screen.bad('interrupted: everything is stopped');
});
demo(screen).catch((error: Error) => {
  screen.bad(error.message);
  process.exitCode = 1;
});
