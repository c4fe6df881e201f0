import { type Browser, chromium } from 'playwright-core';
import { findTool } from '../all/system-tools';

/** A Chromium with a profile of its own, and nothing that it does by itself. */
export function startBrowser(): Promise<Browser> {
  const executablePath = findTool('chromium');
  if (!executablePath) throw new Error('no Chromium: npm test installs it, or name one in the variable CHROMIUM');
  const quiet = ['background-networking', 'component-update', 'sync', 'quic', 'gpu'].map((what) => `--disable-${what}`);
  return chromium.launch({ executablePath, chromiumSandbox: false, args: [...quiet, '--no-first-run'], timeout: 300_000 });
}
