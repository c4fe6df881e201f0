import { awsEnvironment } from '../support/aws/environment';
import { Aws } from './aws';
import { CloudFormation } from './cloudformation';
import { Database } from './database';
import { MigrateFunction } from './migrate-function';
import { Releases, type Revisions } from './releases';
import { FUNCTION, Stack } from './stack';

/** Everything that a deploy touches: real are the runner, its runtime, PostgreSQL, the handler and CDK's Provider framework. */
export interface Production {
  readonly aws: Aws;
  readonly fn: MigrateFunction;
  readonly stack: Stack;
  readonly database: Database;
  /** Packages a release. */
  release(revisions: Revisions, databaseUrl?: string): string;
  /** Packages a release whose function can't be loaded. */
  brokenRelease(): string;
  /** What the handler logged. */
  logged(): string;
}

/** Sets production up anew before each test of the file, and takes it down afterwards. */
export function useProduction(): Production {
  const environment = process.env;
  const production = {} as { -readonly [key in keyof Production]: Production[key] };
  let cloudFormation: CloudFormation;
  let releases: Releases;

  // The framework keeps its clients, so AWS has one address for the whole file.
  beforeAll(async () => {
    production.aws = await Aws.start();
    process.env = { ...environment, ...awsEnvironment(production.aws.url) };
    cloudFormation = await CloudFormation.start(production.aws);
    releases = new Releases();
  });
  beforeEach(async () => {
    let text = '';
    jest.spyOn(console, 'log').mockReturnValue();
    jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      text += chunk;
      return true;
    });
    const { aws } = production;
    const database = await Database.create();
    const fn = new MigrateFunction(undefined, { limits: { connectRetrySeconds: 2 } });
    aws.find = (name) => {
      if (name !== FUNCTION) return cloudFormation.handler(name);
      return fn.code === undefined ? undefined : (payload) => fn.invoke(payload);
    };
    aws.losesAnswer = async () => false;
    aws.describeCalls = 0;
    Object.assign(production, { database, fn, stack: new Stack(aws, cloudFormation, fn), logged: () => text });
    production.brokenRelease = () => releases.makeBroken();
    production.release = (revisions, url = database.url) => releases.make(url, revisions);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await production.fn?.stop();
    await production.database?.drop();
  });
  afterAll(async () => {
    process.env = environment;
    releases?.remove();
    await cloudFormation?.stop();
    await production.aws?.stop();
  });
  return production;
}
