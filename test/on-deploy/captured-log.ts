/** Captures what each test writes to standard output. @returns what was written so far */
export function useCapturedLog(): () => string {
  let written = '';
  beforeEach(() => {
    written = '';
    jest.spyOn(console, 'log').mockReturnValue();
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written += text;
      return true;
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  return () => written;
}
