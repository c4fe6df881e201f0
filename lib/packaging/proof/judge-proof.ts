import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { BACKEND_DIRECTORY, DEPENDENCIES_DIRECTORY } from '../../contract';
import { call, named, option } from '../code-in-messages';
import { optionFor } from '../dependencies/elsewhere';
import { DEVELOPMENT_FILE } from '../dependencies/no-dependencies';
import { packagedFromRepository, repositoryOf } from '../dependencies/not-on-index';
import { normalized } from '../dependencies/parsing/requirement';
import { readRequirementsFile } from '../dependencies/parsing/requirements-file';
import type { DependencySource } from '../dependencies/source';
import { PackagingError } from '../errors';
import { type AlembicFolders, isUnlocked, optionsFrom } from '../project/alembic-project';
import { imageVariables } from '../project/dockerfile';
import { listOwnFiles } from '../project/sources';
import { driverRequirement, installedDrivers } from './check-installed';
import type { LoadedWith, Proof } from './proof';
import { otherPython, otherPythonFor } from './standard-library';
import { likelyDatabase, setEngine, setFolder, setInEnvironment, setRequired, setUnset } from './unset-variables';

/** A package that can be loaded. */
export interface Loaded extends LoadedWith {
  /** The package's folder. */
  readonly target: string;
  /** The backend's folder. */
  readonly directory: string;
  readonly alembic: AlembicFolders;
  /** Folders of the backend that an editable install would put on Python's path. */
  readonly roots: readonly string[];
  /** Where its dependencies come from. */
  readonly source: Pick<DependencySource, 'add' | 'files' | 'run'>;
  readonly onlyImported: boolean;
  /** Names of distributions that an option leaves out of it, and of those that can't be built. */
  readonly leftOut?: readonly string[];
}

/** Judges how a package loaded. Returns warnings. Throws PackagingError if it can't run in the function. */
export function judgeProof(loaded: Loaded, proof: Proof): string[] {
  const { refused, missing } = proof;
  if (refused)
    throw new PackagingError('invalid_revisions', `the migrations of ${loaded.directory} can't be deployed: ${refused}`);
  if (missing) throw new PackagingError('missing_module', missingModule(loaded, missing));
  return [...judgeFailure(loaded, proof), ...judgeAddress(loaded, proof), ...judgeNetwork(proof)];
}

/** Whether the package was loaded with all of the function's variables, so that the function does the same. */
function isSame({ databaseVariables, hasUnknownVariables, isAssumed }: Loaded): boolean {
  return databaseVariables !== undefined && !hasUnknownVariables && !isAssumed;
}

function judgeFailure(
  loaded: Loaded,
  { fails, unproved, otherDriver, command, connects, loadConnects, foreign = [] }: Proof,
): string[] {
  const { directory, hasUnknownVariables, onlyImported } = loaded;
  if (fails && (fails.inCode || !hasUnknownVariables)) {
    const what = `${fails.inRevision ? 'a revision' : 'env.py'} of ${directory} fails`;
    const reason = `${fails.reason}. ${otherDriver ? driverRemedy(loaded) : remedyOf(loaded, fails, command)}`;
    const isCertain = !connects && (fails.inCode ? !foreign.length : !fails.isLikely && isSame(loaded));
    if (isCertain) throw new PackagingError('fails_on_lambda', `${what}: ${reason}`);
    return [`${what} with the function's environment: ${reason}`];
  }
  if (loadConnects !== undefined && !connects) {
    const which = fileOf(loadConnects, 'the application');
    return [
      `${which} connects to the database when it is loaded. Packaging connects to nothing, so what comes after it could not be verified`,
    ];
  }
  return onlyImported && unproved && !connects
    ? [`could not verify that the package has everything that a migration imports: ${unproved}`]
    : [];
}

function judgeAddress(loaded: Loaded, { elsewhere, command }: Proof): string[] {
  if (!elsewhere) return [];
  const { directory, databaseVariables, hasUnknownVariables } = loaded;
  const text = `env.py of ${directory} connects to ${elsewhere.address} (${placeOf(loaded, elsewhere)})`;
  const refusal = `${text}, not to the function's database. ${addressRemedy(loaded, elsewhere, command)}`;
  if (isSame(loaded) && !elsewhere.isPostgres) throw new PackagingError('other_database', refusal);
  if (hasUnknownVariables) return [];
  const isReplaced = elsewhere.isPostgres && databaseVariables !== undefined;
  return [isReplaced ? `${text}. ${replacement(loaded, elsewhere)}` : refusal];
}

/** The warning for a library that fetches something when it is imported, and for a backend that does. */
function judgeNetwork({ connects, unproved }: Proof): string[] {
  if (!connects) return [];
  const effect = unproved
    ? `Packaging connects to nothing, so what comes after it could not be verified (${unproved})`
    : 'Without internet access, each start of the function may wait for it';
  const what = `${fileOf(connects.by, 'the backend')} connects to ${connects.address} when it is loaded`;
  return [`${what}. ${effect}. If a setting avoids that, set it with ${option('environment')}`];
}

/** The next step for an env.py that fails. */
function remedyOf(
  loaded: Loaded,
  {
    reason,
    inCode,
    wrongSyntax,
    inRevision,
    unset,
    required,
    wrong = [],
    arguments: [argument] = [],
    absent,
  }: NonNullable<Proof['fails']>,
  command = 'alembic',
): string {
  const { source, target, directory, databaseVariables: given } = loaded;
  if (wrongSyntax) return `Correct that line, or set ${option('runtime')} to a Python that accepts it`;
  const ofPlatform = otherPythonFor(reason) ?? systemLibraryRemedy(reason, unset);
  if (ofPlatform) return ofPlatform;
  if (inCode) return `If a distribution or a version is missing, ${source.add.replace('{}', 'it')}`;
  // Advanced Alchemy's template of env.py reads config.db_url and others, which its own commands set.
  const [, attribute] = /'Config' object has no attribute '(\w+)'/.exec(reason) ?? [];
  if (attribute) {
    return (
      `Make env.py run with ${currentCommand(loaded, command)}: it reads config.${attribute}, which only another command sets, such as ` +
      `"litestar database"; read the address and the other options from the backend's settings`
    );
  }
  if (/only \/tmp is writable/.test(reason)) return `Write to /tmp instead, or only if a setting asks for it${setFolder(unset)}`;
  const [, started] = /Lambda has no such command: '([^']+)'/.exec(reason) ?? [];
  if (started) return `Catch the FileNotFoundError there, or start ${started} only if shutil.which("${started}") finds it`;
  // The URL has the driver's name, if not set: postgresql+psycopg.
  if (given?.url && !given.urlScheme && /\bscheme\b/i.test(reason)) {
    return `Set the scheme that it accepts, such as ${call('DatabaseVariables.url', [given.url], { scheme: 'postgresql' })}`;
  }
  if (absent) return absentRemedy(directory, join(target, BACKEND_DIRECTORY), absent);
  if (wrong.length) {
    const also = required.length ? `. ${setRequired(required, unset, given, reason, imageVariables(directory))}` : '';
    return `Correct the value of ${wrong.join(', ')} in ${option('environment')}${also}`;
  }
  if (required.length) return setRequired(required, unset, given, reason, imageVariables(directory));
  if (argument) return argumentRemedy(argument);
  // A revision is loaded after env.py, which has the database's address.
  if (unset.length) return `If it needs a setting, ${inRevision ? setInEnvironment(unset) : setUnset(unset)}`;
  return `If it needs a setting, set it with ${option('environment')}; ${currentCommand(loaded, command)} with the same variables${elsewhereFound(loaded)} shows the whole error`;
}

/** An error of the dynamic linker about another file than the one to load, also through ctypes and cffi. */
const SYSTEM_LIBRARY = /(?<![^\s'"])([^\s/:'"]+): cannot open shared object file/;

/** The next step for code that loads a library of the operating system, which no distribution has; undefined for another error. */
function systemLibraryRemedy(reason: string, unset: readonly string[]): string | undefined {
  const [, library] = SYSTEM_LIBRARY.exec(reason) ?? [];
  if (!library) return undefined;
  const setting = unset.length ? setInEnvironment(unset) : `set it with ${option('environment')}`;
  return (
    `${library} is a library of the operating system, and Lambda has only few: use ${named('MigrationCode.fromImage')} ` +
    `and install it there, or keep what loads it out of what env.py imports. If a setting avoids that, ${setting}`
  );
}

/** The next step for an env.py that fails without an argument of Alembic's option -x. */
function argumentRemedy(argument: string): string {
  const variable = argument.toUpperCase().replace(/\W/g, '_');
  const set = option('environment', { [variable]: '...' });
  return `If it needs -x ${argument}, which no deploy passes, let it also read os.environ["${variable}"], and set ${set}`;
}

/** The command that runs env.py in the backend's own environment. */
function currentCommand({ source, alembic: { config } }: Loaded, command: string): string {
  const isFound = command !== 'alembic' || ['alembic.ini', 'pyproject.toml'].includes(config);
  return `"${source.run}${command} ${isFound ? '' : `-c ${config} `}current"`;
}

/** Where that command runs, if the scripts' location is in an image. */
function elsewhereFound({ directory, alembic: { config } }: Loaded): string {
  const [, location] = /^script_location[ \t]*=[ \t]*(\/\S+)/m.exec(readFileSync(join(directory, config), 'utf8')) ?? [];
  return location && !existsSync(location) ? `, where ${location} exists, such as in the image,` : '';
}

/** The next step for a path of the backend that its package does not have. */
function absentRemedy(directory: string, packaged: string, path: string): string {
  const folder = dirname(path);
  if (!existsSync(join(packaged, folder)))
    return `The package has no folder ${folder}: create it in the code, or keep it with an empty file ${folder}/.gitkeep`;
  const isLeftOut = existsSync(join(directory, path));
  return isLeftOut
    ? `The package leaves out ${path}: use it only if it exists, or rename it`
    : `${directory} has no ${path}: add it, or use it only if it exists`;
}

/** The next step for an env.py that can't connect with the driver in the database's URL. */
function driverRemedy({ target, databaseVariables: { url, urlScheme = '' } = {} }: Loaded): string {
  const [other] = installedDrivers(target).filter((driver) => !urlScheme.endsWith(`+${driver}`));
  if (url && other) return `Name another driver with ${call('DatabaseVariables.url', [url], { scheme: `postgresql+${other}` })}`;
  return "Connect with an async engine, as Alembic's template async does, or add a driver that is not async, such as psycopg[binary]";
}

type Elsewhere = NonNullable<Proof['elsewhere']>;

const LINE = 'import os; config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))';

const OWN_ENGINE = 'create its engine from os.environ["DATABASE_URL"]';

const FLASK_LINE = 'SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"]';

/** How the function treats env.py's own address. */
function replacement(loaded: Loaded, elsewhere: Elsewhere): string {
  return (
    "The function connects to its own database instead, with env.py's driver and other options. If env.py reads the address " +
    `from other variables than ${variableNames(loaded).join(', ')}, name them with ${databaseVariables(elsewhere)}`
  );
}

function variableNames({ databaseVariables = {} }: Loaded): string[] {
  return Object.entries(databaseVariables).flatMap(([part, name]) => (part === 'urlScheme' ? [] : [name]));
}

/** The next step for an env.py that does not connect to the function's database, and whose address is not replaced. */
function addressRemedy(loaded: Loaded, elsewhere: Elsewhere, command?: string): string {
  const names = variableNames(loaded);
  const given = names.length
    ? `The function sets ${names.join(', ')}: if env.py reads other variables, name them with ${databaseVariables(elsewhere)}`
    : `If env.py reads the address from variables, set them with ${option('environment')}`;
  const line =
    command === 'flask db'
      ? `give Flask's application ${FLASK_LINE}`
      : `${OWN_ENGINE}, or if it connects with sqlalchemy.url, add this line to it: ${LINE}`;
  const engine = elsewhere.isPostgres ? '' : setEngine(elsewhere.unset);
  return `${engine}${given}; if it reads none, ${line}`;
}

/** How to name the variables with the address: the setting that holds it, or unset ones that the backend reads, if they look like one. */
function databaseVariables({ settings: [setting], unset, address }: Elsewhere): string {
  if (setting) return call('DatabaseVariables.url', [setting]);
  return likelyDatabase(unset, address.split('/').at(-1))?.code ?? named('DatabaseVariables');
}

/** The line that has an address in Alembic's configuration, or else the one that connects to it. */
function placeOf({ directory, alembic }: Loaded, { address, by }: Elsewhere): string {
  const [host = ''] = address.split(':');
  const lines = readFileSync(join(directory, alembic.config), 'utf8').split('\n');
  const line = lines.findIndex((text) => {
    const [, url = ''] = /^[ \t]*sqlalchemy\.url[ \t]*=[ \t]*(\S+)/.exec(text) ?? [];
    return url.includes(`${host}/`) || url.includes(`${host}:`);
  });
  return line < 0 ? fileOf(by, 'env.py') : `${alembic.config}:${line + 1}`;
}

/** The only folder of the backend that has a module; undefined if none or several have it. */
export function rootOf({ directory, roots }: Loaded, module: string): string | undefined {
  const path = module.split('.').join('/');
  const files = listOwnFiles(directory);
  const found = files.flatMap((file) =>
    [`/${path}.py`, `/${path}/__init__.py`].flatMap((end) => (file.endsWith(end) ? file.slice(0, -end.length) : [])),
  );
  const folders = [...new Set(found)].filter((folder) => !roots.includes(folder));
  return folders.length === 1 ? folders[0] : undefined;
}

/** The warning for a folder that the package puts on Python's path. */
export function addedRoot({ alembic }: Loaded, { module, by }: NonNullable<Proof['missing']>, root: string): string {
  return (
    `${fileOf(by)} imports ${module} from ${root}, which ${alembic.config} does not put on Python's path. The function adds it. ` +
    `For the alembic command, set "prepend_sys_path = ${root}" in ${alembic.config} and call it in the backend's folder`
  );
}

function missingModule(loaded: Loaded, { module, by, unset, unsetSettings, own }: NonNullable<Proof['missing']>): string {
  const { directory } = loaded;
  const [first = ''] = module.split('.');
  const remedy = own
    ? 'if your build generates it, run that first'
    : (otherPython(module) ?? missingDistribution(loaded, first, [...unset, ...unsetSettings]));
  const settings = unset.length ? `. If a setting avoids that import, ${setUnset(unset)}` : '';
  return `${fileOf(by)} imports ${module}, which the package of ${directory} does not have: ${remedy}${settings}`;
}

function missingDistribution(loaded: Loaded, module: string, unset: readonly string[]): string {
  const { source } = loaded;
  // https://docs.sqlalchemy.org/en/21/faq/installation.html
  if (module === 'greenlet')
    return `SQLAlchemy 2.1 installs it only if asked to: ${source.add.replace('{}', 'sqlalchemy[asyncio]')}`;
  // https://setuptools.pypa.io/en/latest/pkg_resources.html
  if (module === 'pkg_resources') return source.add.replace('{}', 'setuptools~=80.0');
  const has = optionFor(source, (name) => `${name}-`.startsWith(`${normalized(module)}-`));
  if (has) return `${has} packages it`;
  const other = otherRequirements(loaded, module);
  if (other) return other;
  const own = isUnlocked(source.files[0] ?? '') && packagedFromRepository(module, loaded.directory, source.files);
  if (own) return own;
  const usual =
    missingDriver(loaded, module, unset) ??
    `${source.add.replace('{}', distributionOf(source, module))}, or ${folderWith(loaded, module)}`;
  return leftOutRemedy(loaded, module, usual) ?? usual;
}

/** The next step if a distribution that is left out may have a module; undefined if nothing is left out. */
function leftOutRemedy({ leftOut = [] }: Loaded, module: string, otherwise: string): string | undefined {
  if (!leftOut.length) return undefined;
  const isKnown = leftOut.includes(normalized(module));
  const it = isKnown ? normalized(module) : 'it';
  const remedy =
    `keep its import out of what env.py loads, package ${it} with ${option('wheels')}, a folder of wheels that you built for Lambda, ` +
    `or use ${named('MigrationCode.fromImage')}`;
  const one = leftOut.length > 1 ? `one of ${leftOut.join(', ')}` : leftOut[0];
  return isKnown ? `${it} is left out: ${remedy}` : `if ${one} has it, which is left out: ${remedy}. If not: ${otherwise}`;
}

/** The next step if a requirements file that is not installed has a module; undefined if none has it. */
function otherRequirements({ directory, source }: Loaded, module: string): string | undefined {
  const used = source.files.filter((file) => file.endsWith('.txt')).map((file) => relative(directory, file));
  if (!used.length) return undefined;
  const has = listOwnFiles(directory)
    .filter(
      (file) => /(?:^|\/)requirements[^/]*(?:\/[^/]+)?\.txt$/.test(file) && !DEVELOPMENT_FILE.test(file) && !used.includes(file),
    )
    .find((file) =>
      readRequirementsFile(join(directory, file)).requirements.some(({ name }) =>
        `${name}-`.startsWith(`${normalized(module)}-`),
      ),
    );
  if (!has) return undefined;
  // A file that another one includes is not named.
  return `${has} has it: install that file too, with ${used.length === 1 ? option('requirements', [...used, has]) : option('requirements')}`;
}

/** How to pass the folder that contains a module: it is above the backend in the same repository, or unknown. */
function folderWith({ directory, alembic, source }: Loaded, module: string): string {
  const repository = repositoryOf(directory);
  let folder = repository ? directory : undefined;
  while (folder && folder !== repository) {
    folder = dirname(folder);
    const isThere = [module, `${module}.py`].some((name) => existsSync(join(folder as string, name)));
    if (!isThere) continue;
    return `pass ${folder}, which contains it, ${optionsFrom(folder, directory, alembic.config, source.files)}`;
  }
  return 'pass the folder that contains it';
}

/** What to add for a module, whose distribution may have another name: a placeholder if that is part of a command. */
function distributionOf({ add }: Loaded['source'], module: string): string {
  const text = `the distribution of ${module}`;
  return add.includes('"') ? `<${text}>` : text;
}

/** The next step for a driver that is not in the package; undefined for another module. */
function missingDriver(
  { target, source, databaseVariables }: Loaded,
  module: string,
  unset: readonly string[],
): string | undefined {
  const requirement = driverRequirement(module);
  if (!requirement) return undefined;
  const add = source.add.replace('{}', requirement);
  if (module !== 'psycopg' || !existsSync(join(target, DEPENDENCIES_DIRECTORY, 'psycopg2'))) return add;
  const { url, urlScheme } = databaseVariables ?? {};
  const scheme = 'postgresql+psycopg2';
  // If a scheme is set and it is missing all the same, the backend has another address; from unset variables, too.
  const isUsed = url && !urlScheme && !likelyDatabase(unset);
  const how = isUsed
    ? `: ${call('DatabaseVariables.url', [url], { scheme })}`
    : ` where the backend builds the address: ${scheme}://`;
  return `SQLAlchemy 2.1 reads postgresql:// as psycopg. To use psycopg2, name it${how}. Or ${add}`;
}

function fileOf(by: string, otherwise = 'a migration'): string {
  return by.replace(/^(?:backend|site-packages)\//, '') || otherwise;
}
