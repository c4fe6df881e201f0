import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../examples/local-aws';

/** A program that the tests run and that neither npm nor PyPI has. */
interface SystemTool {
  readonly commands: readonly string[];
  /** The environment variable that names it. */
  readonly variable: string;
}

/** By the name of their Debian package. */
const TOOLS = {
  chromium: { commands: ['chromium', 'chromium-browser', 'google-chrome'], variable: 'CHROMIUM' },
  openssl: { commands: ['openssl'], variable: 'OPENSSL' },
  pgbouncer: { commands: ['pgbouncer'], variable: 'PGBOUNCER' },
} as const satisfies Record<string, SystemTool>;

export type ToolName = keyof typeof TOOLS;

/** Debian installs servers there, and only root has it in its PATH. */
const SERVERS = '/usr/sbin';
/** Another installation may hold apt's lock, and a mirror may be away for a moment. */
const ATTEMPTS = 8;
const PAUSE_MS = 15_000;

/** The program that the tool's variable names, or one that is installed. */
export function findTool(name: ToolName, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { commands, variable } = TOOLS[name];
  const folders = [...(env.PATH ?? '').split(path.delimiter), SERVERS];
  const candidates = folders.flatMap((folder) => commands.map((command) => path.join(folder, command)));
  return env[variable] || candidates.find((file) => existsSync(file));
}

/**
 * The variables that name the tools. Installs missing ones as root on Debian. Throws an error for each tool that is still missing: a
 * test that can't run fails.
 */
export async function systemTools(folder: string, onInstall: (tool: string) => void): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  // In sequence: apt has a lock.
  for (const name of Object.keys(TOOLS) as ToolName[]) {
    const said = await install(name, folder, onInstall);
    const { variable } = TOOLS[name];
    const found = findTool(name);
    if (!found)
      throw new Error(
        `no ${name}: install it (Debian: "apt-get install ${name}"), or name it in the variable ${variable}\n${said}`,
      );
    variables[variable] = found;
  }
  return variables;
}

async function install(name: ToolName, folder: string, onInstall: (tool: string) => void): Promise<string> {
  if (findTool(name) || process.platform !== 'linux' || process.getuid?.() !== 0) return '';
  onInstall(name);
  let said = '';
  for (let attempt = 1; attempt <= ATTEMPTS && !findTool(name); attempt++) {
    if (attempt > 1) await sleep(PAUSE_MS);
    said = await aptGet(name, folder);
  }
  return said;
}

async function aptGet(name: ToolName, folder: string): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const said: string[] = [];
  const commands = [
    // Repairs what an interrupted installation has left.
    ['dpkg', '--configure', '-a'],
    ['apt-get', 'update'],
    ['apt-get', 'install', '--yes', '--no-install-recommends', name],
  ] as const;
  for (const [command, ...args] of commands) said.push((await run(command, args, { env, folder, cwd: folder })).output);
  return said.join('\n');
}
