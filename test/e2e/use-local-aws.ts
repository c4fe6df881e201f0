import { type LocalAws, withLocalAws } from '../../examples/local-aws';

/**
 * A local AWS for all tests of a file, bootstrapped.
 *
 * @param prepare runs once, before the tests
 */
export function useLocalAws<T>(prepare: (aws: LocalAws) => Promise<T>): { readonly aws: LocalAws; readonly prepared: T } {
  const shared: { aws?: LocalAws; prepared?: T } = {};
  let stop: () => void = () => {};
  let stopped: Promise<void> = Promise.resolve();

  beforeAll(async () => {
    await new Promise<void>((resolve, reject) => {
      stopped = withLocalAws(async (aws) => {
        mustSucceed(await aws.bootstrap());
        Object.assign(shared, { aws, prepared: await prepare(aws) });
        resolve();
        await new Promise<void>((release) => {
          stop = release;
        });
      });
      stopped.catch(reject);
    });
  });

  afterAll(async () => {
    stop();
    await stopped;
  });

  return shared as { aws: LocalAws; prepared: T };
}

/** Fails with all that a command said. */
export function mustSucceed({ code, output }: { code: number; output: string }): void {
  if (code !== 0) throw new Error(`exit code ${code}:\n${output}`);
}
