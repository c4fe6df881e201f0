import type { Screen } from './screen';

/** Shows the CDK's output while it runs: progress in one line, results on separate lines. */
export function showCdkProgress(screen: Screen): (line: string) => void {
  return (line) => {
    const event = /^\S+ \| +(\S+) \| [^|]*\| (\w+) +\| \S+ +\| (.*)/.exec(line);
    if (event) screen.status(`${event[1]} ${event[2]} ${event[3]}`);
    else if (/^\S+: (start|creating|deploying|destroying)/.test(line)) screen.status(line);
    else if (/^\s*(✅|❌)/.test(line)) screen.say(line.trim());
  };
}
