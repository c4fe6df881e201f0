import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectDirectory } from '../../examples/local-aws';
import { type Revision, revisionFile, revisionNumber } from './revisions';
import type { TestBed } from './test-bed';

/** A copy of the sample backend, with its dependencies locked. */
export interface Backend {
  readonly directory: string;
  readonly head: string;
  /** How many tables exist after its revisions. */
  readonly tables: number;
}

const SAMPLE = path.join(projectDirectory, 'examples', 'template-saas', 'back');
const SAMPLE_HEAD = '54f972feefa5';
const SAMPLE_REVISIONS = 15;
const SAMPLE_TABLES = 4;

/** The unchanged sample. */
export function sample(testBed: TestBed): Promise<Backend> {
  return testBed.once('sample', async (directory) => {
    const made = new Set(['.venv', '.pytest_cache', '.ruff_cache', '__pycache__', 'uv.lock']);
    cpSync(SAMPLE, directory, { recursive: true, filter: (source) => !made.has(path.basename(source)) });
    if (readdirSync(versions(directory)).length !== SAMPLE_REVISIONS)
      throw new Error('the sample has a different number of revisions');
    await testBed.run({ command: 'uv', args: ['lock', '--directory', directory] });
    return { directory, head: SAMPLE_HEAD, tables: SAMPLE_TABLES };
  });
}

/** The sample with 300 revisions: its own, and generated ones on top. */
export function sampleWith300(testBed: TestBed): Promise<Backend> {
  return testBed.once('sample-300', async (directory) => {
    const { directory: original, head, tables } = await sample(testBed);
    cpSync(original, directory, { recursive: true });
    const added = writeRevisions(directory, 300 - SAMPLE_REVISIONS, head);
    return { directory, head: added, tables: tables + 300 - SAMPLE_REVISIONS };
  });
}

/** The sample with 1,000 generated revisions instead of its own. */
export function generated1000(testBed: TestBed): Promise<Backend> {
  return testBed.once('generated-1000', async (directory) => {
    const { directory: original } = await sample(testBed);
    cpSync(original, directory, { recursive: true });
    rmSync(versions(directory), { recursive: true });
    mkdirSync(versions(directory));
    return { directory, head: writeRevisions(directory, 1000, undefined), tables: 1000 };
  });
}

/** The same backend, whose env.py asks Alembic for a transaction per migration. */
export function oneTransactionEach(testBed: TestBed, { directory: original, ...rest }: Backend): Promise<Backend> {
  return testBed.once('one-transaction-each', async (directory) => {
    cpSync(original, directory, { recursive: true });
    const env = path.join(directory, 'alembic', 'env.py');
    const before = readFileSync(env, 'utf8');
    const after = before.replaceAll(
      /target_metadata=target_metadata/g,
      'target_metadata=target_metadata, transaction_per_migration=True',
    );
    if (after === before) throw new Error("the sample's env.py has no place for transaction_per_migration");
    writeFileSync(env, after);
    return { directory, ...rest };
  });
}

function versions(directory: string): string {
  return path.join(directory, 'alembic', 'versions');
}

/** Returns the newest revision. */
function writeRevisions(directory: string, count: number, first: string | undefined): string {
  let previous = first;
  for (let number = 1; number <= count; number++) {
    const revision: Revision = { ...revisionNumber(number), previous };
    writeFileSync(path.join(versions(directory), revision.file), revisionFile(revision));
    previous = revision.id;
  }
  return previous as string;
}
