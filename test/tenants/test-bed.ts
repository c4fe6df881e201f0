import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { clientOptions } from '../../examples/local-aws';
import { type MiniStack, startMiniStack } from '../../examples/local-aws/ministack';
import { toolPython } from '../../examples/local-aws/tools';
import { batch, coordinate } from '../../lambda/tenants';
import {
  type BatchProgress,
  type BatchState,
  type CoordinatorRequest,
  type CoordinatorSettings,
  type Listed,
  type Stopped,
  type Summarized,
  TENANTS_VARIABLE,
} from '../../lib/contract/coordinator';
import type {
  TenantAnswer,
  TenantFailed,
  TenantOutcome,
  TenantRequest,
  TenantRunSummary,
  Wave,
} from '../../lib/contract/tenants';
import { withFolder } from '../../lib/local/processes/with-folder';
import { awsEnvironment } from '../support/aws/environment';
import type { Reply } from '../support/aws/lambda';
import { StageAws } from '../support/aws/stage';

/**
 * The coordinator in this process, with a real S3 of the local AWS. Of Lambda it needs an Invoke alone, which a fake Lambda answers as
 * the worker would.
 */
export class TestBed {
  runId: string = randomUUID();
  private aws?: StageAws;
  private readonly s3: S3Client;

  async keys(Prefix: string): Promise<string[]> {
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix }));
    return Contents.map(({ Key = '' }) => Key);
  }

  async remove(Key: string): Promise<void> {
    await this.s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key }));
  }

  constructor(
    readonly ministack: MiniStack,
    readonly bucket: string,
  ) {
    this.s3 = new S3Client(clientOptions(ministack.url));
  }

  /** Requests that the worker got, in order. */
  get asked(): readonly TenantRequest[] {
    return (this.aws?.invokes ?? []) as readonly TenantRequest[];
  }

  /** Sets what the coordinator is told, and how the worker answers. */
  async use(settings: Partial<CoordinatorSettings>, worker: (request: TenantRequest, call: number) => Reply): Promise<void> {
    await this.aws?.stop();
    this.aws = await StageAws.start((request, call) => worker(request as TenantRequest, call));
    const all: CoordinatorSettings = {
      appName: 'shop',
      stage: 'dev',
      bucket: this.bucket,
      worker: 'worker',
      source: { kind: 'object', bucket: this.bucket, key: 'tenants.json' },
      batchSize: 2,
      concurrency: 1,
      ...settings,
    };
    Object.assign(process.env, awsEnvironment(this.ministack.url), {
      AWS_ENDPOINT_URL_LAMBDA: this.aws.url,
      [TENANTS_VARIABLE]: JSON.stringify(all),
    });
  }

  async stop(): Promise<void> {
    await this.aws?.stop();
  }

  async put(Key: string, value: unknown): Promise<void> {
    const Body = typeof value === 'string' ? value : JSON.stringify(value);
    await this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body }));
  }

  async get<T = unknown>(Key: string): Promise<T> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key }));
    return JSON.parse((await Body?.transformToString()) ?? '');
  }

  list(input: unknown = {}): Promise<Listed> {
    return this.coordinate({ action: 'list', runId: this.runId, input });
  }

  judge(): Promise<{ next: string }> {
    return this.coordinate({ action: 'judge', runId: this.runId });
  }

  async summarize(stopped: Stopped | null = null): Promise<TenantRunSummary> {
    const { summary } = await this.coordinate<Summarized>({ action: 'summarize', runId: this.runId, stopped });
    return summary as TenantRunSummary;
  }

  /** Does what the children of a map do, one batch after the other. */
  async wave(wave: Wave): Promise<BatchProgress[]> {
    const ended: BatchProgress[] = [];
    for (const item of await this.batches(wave)) ended.push(await this.child(item));
    return ended;
  }

  /** The inputs of a map's children. */
  batches(wave: Wave): Promise<BatchState[]> {
    return this.get(`runs/${this.runId}/${wave}/batches.json`);
  }

  /** Does what a child of a map does. */
  async child(item: BatchState): Promise<BatchProgress> {
    let state: BatchProgress = { ...item, more: true, failed: false };
    while (state.more) {
      const { runId, wave, index, part } = state;
      state = await batch({ runId, wave, index, part });
    }
    return state;
  }

  /** What the state machine does without canaries. */
  async run(input: unknown = {}, runId: string = randomUUID()): Promise<TenantRunSummary> {
    this.runId = runId;
    const { next } = await this.list(input);
    if (next === 'rest') await this.wave('rest');
    return this.summarize();
  }

  private coordinate<T>(request: CoordinatorRequest): Promise<T> {
    return coordinate(request) as Promise<T>;
  }
}

/** A test bed for all tests of a file; every test has a bucket of its own. */
export function useTestBed(): { readonly testBed: TestBed } {
  const shared: { ministack?: MiniStack; testBed?: TestBed } = {};
  const environment = process.env;
  let stop: () => void = () => {};
  let stopped: Promise<unknown> = Promise.resolve();
  let buckets = 0;

  beforeAll(async () => {
    const python = await toolPython('ministack');
    await new Promise<void>((resolve, reject) => {
      stopped = withFolder(async (folder) => {
        shared.ministack = await startMiniStack(python, folder);
        resolve();
        await new Promise<void>((release) => {
          stop = release;
        });
      });
      stopped.catch(reject);
    });
  });

  beforeEach(async () => {
    process.env = { ...environment };
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const ministack = shared.ministack as MiniStack;
    const bucket = `runs-${buckets++}`;
    await new S3Client(clientOptions(ministack.url)).send(
      new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
    );
    shared.testBed = new TestBed(ministack, bucket);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await shared.testBed?.stop();
    process.env = environment;
  });

  afterAll(async () => {
    stop();
    await stopped;
  });

  return shared as { testBed: TestBed };
}

/** The worker's answer: each tenant went from base to b2, unless told otherwise. */
export function answered(request: TenantRequest, outcome: (name: string) => Partial<TenantOutcome> = () => ({})): Reply {
  const outcomes = (request.tenants ?? []).map(({ name }): TenantOutcome => {
    const done = { from: [], to: ['b2'], applied: ['a1', 'b2'], pending: 0, durationMs: 1 };
    return { tenant: name, status: 'complete', ...done, ...outcome(name) } as TenantOutcome;
  });
  return { answer: answerWith(request, outcomes) };
}

export function answerWith(
  request: TenantRequest,
  outcomes: readonly TenantOutcome[],
  fields: Partial<TenantAnswer> = {},
): TenantAnswer {
  return {
    contract: 1,
    command: (request.command ?? 'upgrade') as TenantAnswer['command'],
    stage: 'dev',
    status: 'complete',
    heads: ['b2'],
    outcomes,
    left: [],
    notStarted: [],
    failed: outcomes.filter(({ status }) => status === 'failed').length,
    dataLoss: [],
    warnings: [],
    protected: false,
    ...fields,
  };
}

export const FAILED: Partial<TenantFailed> = {
  status: 'failed',
  to: [],
  applied: [],
  pending: 2,
  error: { code: 'migration_failed', message: 'revision a1 failed', next: 'fix it', revision: 'a1' },
};

export const AT_HEAD: Partial<TenantOutcome> = { from: ['b2'], applied: [] };
