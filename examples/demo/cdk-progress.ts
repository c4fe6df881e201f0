import type { Screen } from './screen';

/** Shows what the CDK's command line says while it runs: what happens now in one line, what stays on lines of their own. */
export function showCdkProgress(screen: Screen): (line: string) => void {
  return (line) => {
    const event = /^\S+ \| +(\S+) \| [^|]*\| (\w+) +\| \S+ +\| (.*)/.exec(line);
    if (event) screen.status(`${event[1]} ${event[2]} ${event[3]}`);
    else if (/^\S+: (start|creating|deploying|destroying)/.test(line)) screen.status(line);
    else if (/^\s*(✅|❌)/.test(line)) screen.say(line.trim());
  };
}
