// @ts-check
/*
 * The GitHub Action: runs migrate-invoke and hands its answer on as outputs.
 * Plain JavaScript without dependencies: a tag of this repository is the action, and nothing that was built is committed.
 * No shell: an input is one argument of the command, whatever characters it has.
 */
const { spawn } = require('node:child_process');
const { randomUUID } = require('node:crypto');
const { appendFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { version: ownVersion } = require('../package.json');

const OPTIONS = ['stage', 'command', 'revision', 'region', 'app-name', 'function-name'];

/** @param {string} name */
function input(name) {
  return (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
}

/** The program that is migrate-invoke, with its first arguments. @returns {[string, ...string[]]} */
function migrateInvoke() {
  const version = input('version');
  if (version && !/^[\w.~^-]+$/.test(version)) throw new Error(`"${version}" is not a version of cdk-alembic`);
  const installed = version ? undefined : installedCommand(path.resolve(input('working-directory')));
  if (installed) return [process.execPath, installed];
  return ['npm', 'exec', '--yes', `--package=cdk-alembic@${version || ownVersion}`, '--', 'migrate-invoke'];
}

/** @param {string} directory */
function installedCommand(directory) {
  // Resolves from that folder: from here it would find the action's own package, which is not built.
  const requireThere = createRequire(path.join(directory, 'any.js'));
  try {
    const manifest = requireThere.resolve('cdk-alembic/package.json');
    return path.join(path.dirname(manifest), requireThere(manifest).bin['migrate-invoke']);
  } catch {
    return undefined;
  }
}

/**
 * @param {readonly string[]} options
 * @returns {Promise<{ code: number, stdout: string }>}
 */
function run(options) {
  const [program, ...first] = migrateInvoke();
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('INPUT_')));
  // Output for people goes to stderr and unchanged to the log, where GitHub masks secrets.
  const child = spawn(program, [...first, ...options], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  // Sent when a job is canceled: the command then says what continues on the server.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', ({ message }) =>
      reject(
        new Error(`could not start ${program} (${message}): put actions/setup-node before this step, or install cdk-alembic`),
      ),
    );
    child.on('close', (code) => resolve({ code: code ?? 1, stdout }));
  });
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {string} name @param {unknown} value */
function output(name, value) {
  const text = [value ?? ''].flat().join(',');
  const delimiter = randomUUID();
  if (process.env.GITHUB_OUTPUT) appendFileSync(process.env.GITHUB_OUTPUT, `${name}<<${delimiter}\n${text}\n${delimiter}\n`);
}

async function main() {
  const given = OPTIONS.flatMap((name) => (input(name) ? [`--${name}`, input(name)] : []));
  // Approvals come before this step, from the job's environment.
  const { code, stdout } = await run([...given, '--yes', '--json']);
  const answer = parsed(stdout);
  output('from', answer?.from);
  output('to', answer?.to);
  output('applied', answer?.applied?.length);
  output('status', answer?.status);
  if (!answer && code === 0) throw new Error('migrate-invoke gave no answer');
  process.exitCode = code;
}

main().catch(({ message }) => {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
});
