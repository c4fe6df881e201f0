import { debianPackage, findCommand } from './debian';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser that CHROMIUM names, or one that is installed. */
export function findChromium({ CHROMIUM, PATH = '' }: NodeJS.ProcessEnv = process.env): string | undefined {
  return CHROMIUM || findCommand(NAMES, PATH);
}

/** A browser for the tests of the review's page. It is installed if this may be done without asking anybody. */
export async function chromium(folder: string, onInstall: (tool: string) => void): Promise<string> {
  const { found, said } = await debianPackage('chromium', findChromium, folder, onInstall);
  if (found) return found;
  throw new Error(`no Chromium: install it (Debian: 'apt-get install chromium'), or name one in the variable CHROMIUM\n${said}`);
}
