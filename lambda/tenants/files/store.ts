import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** Of the writers that compete for a file, each try lets one succeed. */
const MAX_TRIES = 50;
const MAX_PAUSE_MS = 200;

/** S3's error for a file that already exists or has changed since it was read, and for concurrent writes. */
const PRECONDITION_FAILED = 'PreconditionFailed';
const WRITES_MET = 'ConditionalRequestConflict';
/** NoSuchKey: the file was deleted after it was read. */
const CONFLICTS = [PRECONDITION_FAILED, WRITES_MET, 'NoSuchKey'];

/** A stored file that does not have the expected content. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile';
}

interface Versioned {
  readonly text: string;
  /** S3's ETag, which changes with every write. */
  readonly tag: string | undefined;
}

/** Shared by the process: it keeps its connections for the next call. */
const s3 = new S3Client();

/** JSON files in a bucket. */
export class Store {
  constructor(readonly bucket: string) {}

  /** The text of a file; undefined if it does not exist. */
  async text(key: string): Promise<string | undefined> {
    return (await this.read(key))?.text;
  }

  /** A stored file; undefined if it does not exist. Throws DamagedFile. */
  async get<T>(key: string): Promise<T | undefined> {
    const text = await this.text(key);
    return text === undefined ? undefined : this.parse<T>(key, text);
  }

  /** A file that must exist. Throws DamagedFile. */
  async require<T>(key: string): Promise<T> {
    const value = await this.get<T>(key);
    if (value === undefined) throw new Error(`there is no s3://${this.bucket}/${key}`);
    return value;
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.write(key, value, {});
  }

  /** Writes a file unless it exists. Returns its content, which is the first writer's if there were two. */
  async create<T>(key: string, value: T): Promise<T> {
    for (let tries = MAX_TRIES; ; tries--) {
      try {
        await this.write(key, value, { IfNoneMatch: '*' });
        return value;
      } catch (error) {
        const { name } = error as Error;
        if (name === PRECONDITION_FAILED) return this.require<T>(key);
        if (tries === 1 || name !== WRITES_MET) throw error;
        await sleep(Math.random() * MAX_PAUSE_MS);
      }
    }
  }

  /**
   * Replaces a file with the result of `change`. No writer loses another one's concurrent changes.
   *
   * @param change gets the file's content; undefined if it is missing, a DamagedFile if it is damaged
   */
  async update<T>(key: string, change: (before: T | DamagedFile | undefined) => T): Promise<void> {
    for (let tries = MAX_TRIES; ; tries--) {
      const found = await this.read(key);
      const condition = found ? { IfMatch: found.tag } : { IfNoneMatch: '*' };
      try {
        await this.write(key, change(found && this.whole<T>(key, found.text)), condition);
        return;
      } catch (error) {
        if (tries === 1 || !CONFLICTS.includes((error as Error).name)) throw error;
        await sleep(Math.random() * MAX_PAUSE_MS);
      }
    }
  }

  /** The keys with a prefix, in S3's order. */
  async *keys(Prefix: string): AsyncGenerator<string> {
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix, ContinuationToken }));
      for (const { Key = '' } of page.Contents ?? []) yield Key;
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
  }

  private async read(Key: string): Promise<Versioned | undefined> {
    try {
      const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: this.bucket, Key }));
      return { text: (await Body?.transformToString()) ?? '', tag: ETag };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  private async write(Key: string, value: unknown, condition: { IfMatch?: string; IfNoneMatch?: string }): Promise<void> {
    const Body = JSON.stringify(value);
    await s3.send(new PutObjectCommand({ Bucket: this.bucket, Key, Body, ContentType: 'application/json', ...condition }));
  }

  private parse<T>(key: string, text: string): T {
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new DamagedFile(`s3://${this.bucket}/${key} is damaged: ${(error as Error).message}`);
    }
  }

  private whole<T>(key: string, text: string): T | DamagedFile {
    try {
      return this.parse<T>(key, text);
    } catch (error) {
      return error as DamagedFile;
    }
  }
}
