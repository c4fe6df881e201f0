import { runtimeOption } from '../code-in-messages';

/** The last Python that has a module of its standard library: PEP 594, PEP 632 and "What's New In Python 3.12". */
const LAST_PYTHON: Readonly<Record<string, readonly string[]>> = {
  '3.11': ['asynchat', 'asyncore', 'distutils', 'imp', 'smtpd'],
  '3.12': [
    ...['aifc', 'audioop', 'cgi', 'cgitb', 'chunk', 'crypt', 'imghdr', 'lib2to3', 'mailcap', 'nis', 'nntplib', 'ossaudiodev'],
    ...['pipes', 'sndhdr', 'spwd', 'sunau', 'telnetlib', 'uu', 'xdrlib'],
  ],
};

/** The first Python that has a module of its standard library, or a name in one: "What's New In Python". */
const FIRST_PYTHON: Readonly<Record<string, readonly string[]>> = {
  '3.12': [
    ...['calendar.Day', 'calendar.Month', 'collections.abc.Buffer', 'inspect.BufferFlags', 'inspect.markcoroutinefunction'],
    ...['itertools.batched', 'math.sumprod', 'random.binomialvariate', 'types.get_original_bases', 'typing.TypeAliasType'],
    'typing.override',
  ],
  '3.13': [
    ...['asyncio.QueueShutDown', 'copy.replace', 'os.process_cpu_count', 'pathlib.UnsupportedOperation', 'queue.ShutDown'],
    ...['types.CapsuleType', 'typing.NoDefault', 'typing.ReadOnly', 'typing.TypeIs', 'typing.get_protocol_members'],
    ...['typing.is_protocol', 'warnings.deprecated'],
  ],
  '3.14': [
    ...['annotationlib', 'compression', 'concurrent.interpreters', 'functools.Placeholder', 'pathlib.types'],
    ...['string.templatelib', 'typing.evaluate_forward_ref', 'uuid.uuid6', 'uuid.uuid7', 'uuid.uuid8'],
  ],
};

/** The next step for a module or a name that only older or newer Pythons have; undefined if none or each has it. */
export function otherPython(name: string): string | undefined {
  const [last] = versionsOf(LAST_PYTHON, name);
  if (last) return `Python has it only up to ${last}: set ${runtimeOption(last)}`;
  const [first] = versionsOf(FIRST_PYTHON, name);
  return first && `Python has it from ${first} on: set ${runtimeOption(first)}`;
}

/** The same for an error that says which name a module lacks. */
export function otherPythonFor(reason: string): string | undefined {
  const [, name, module] = /\bcannot import name '(\w+)' from '([\w.]+)'/.exec(reason) ?? [];
  const [, owner, attribute] = /\bmodule '([\w.]+)' has no attribute '(\w+)'/.exec(reason) ?? [];
  return otherPython(`${module ?? owner}.${name ?? attribute}`);
}

/** The versions at a name, or at the module that has it. */
function versionsOf(versions: typeof LAST_PYTHON, name: string): string[] {
  return Object.keys(versions).filter((version) => versions[version]?.some((known) => `${name}.`.startsWith(`${known}.`)));
}
