import path from 'node:path';
import type { Ask, EnvironmentFacts, GraphFacts, PauseFacts, Report } from '../../contract/facts';
import { type DataFiles, pack, readFiles } from '../postgres/packed';
import { type PostgresServer, serverKey } from '../postgres/server';
import type { Observer } from '../python/observer';
import { observerCode } from '../python/observer-code';
import { type Entry, type Manifest, recallEntry, rememberEntry } from './entry';
import { contentOf, filesBelow, isOlder, isSource, sha256 } from './inputs';

/** What a replay depends on. */
export interface ReplayCacheOptions {
  /** Folder of the Alembic project. */
  readonly project: string;
  readonly python: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What env.py reads with `context.get_x_argument()`. */
  readonly x?: readonly string[];
  /** Files that the caller writes, as absolute paths. */
  readonly written: readonly string[];
  /** When the backend's Python was started, as `Date.now()` returns it. */
  readonly since: number;
}

type Observe = Extract<Ask, { ask: 'observe' }>;

/**
 * The scratch server as it was before the first reviewed revision, kept in the user's cache folder.
 *
 * A kept server is used only if nothing that its revisions could depend on has changed: their files, every other file that was read
 * or could be imported, the environment, the Python and its packages, PostgreSQL, this package, and the day, as a revision may read
 * the clock.
 */
export class ReplayCache {
  /** The entry to try. Whether it fits is known only after the observer has read the revisions. */
  readonly entry: Entry | undefined;
  /** How many revisions were restored instead of run. */
  restored = 0;
  private readonly setting: string;
  private readonly files: readonly string[] | undefined;
  private readonly name: string;
  private graph: GraphFacts | undefined;
  private python = '';
  private copied: { readonly pause: PauseFacts; readonly data: DataFiles } | undefined;
  private stored: Promise<void> = Promise.resolve();

  constructor(private readonly options: ReplayCacheOptions) {
    const { project, python, environment, x } = options;
    this.setting = settingOf(options);
    this.name = `replay-${sha256(JSON.stringify([project, python, environment, x]))}`;
    this.files = filesBelow(project);
    const entry = this.files && recallEntry(this.name);
    this.entry = entry && this.isCurrent(entry.manifest) ? entry : undefined;
  }

  /** Wraps an observer: it starts from the kept server if possible, otherwise its server is kept. @param open opens the server before the first request */
  wrap(observer: Observer, open: (fits: boolean) => Promise<PostgresServer>): Observer {
    let server: PostgresServer | undefined;
    return {
      ...observer,
      ask: async (ask, onReport) => {
        if (ask.ask === 'graph') return observer.ask(ask, (report) => this.recordGraph(report, onReport));
        const fits = server === undefined && ask.ask === 'observe' ? this.fits(ask) : undefined;
        server ??= await open(fits !== undefined);
        const { manifest } = (server.restored && fits) || {};
        this.restored = manifest?.revisions.length ?? this.restored;
        const kept: EnvironmentFacts | undefined = manifest?.environment;
        const { data, password } = server;
        await observer.ask(kept && ask.ask === 'observe' ? { ...ask, kept } : ask, (report) => {
          if (report.report === 'pause') {
            this.copied = { pause: report.pause, data: { password, files: readFiles(data, isNeeded(report.pause.log)) } };
            observer.resume();
          } else if (report.report === 'paused') {
            if (report.unchanged) this.stored = this.store();
          } else onReport(report);
        });
      },
    };
  }

  /** Waits until the copy is stored. */
  finish(): Promise<void> {
    return this.stored;
  }

  private recordGraph(report: Report, onReport: (report: Report) => void): void {
    if (report.report === 'python') this.python = sha256(JSON.stringify(report.installed));
    else {
      if (report.report === 'graph') this.graph = report.graph;
      onReport(report);
    }
  }

  /** Whether everything that can be checked without the backend's Python is unchanged. */
  private isCurrent({ setting, names, versions, contents }: Manifest): boolean {
    return (
      setting === this.setting &&
      names === this.namesWithout(versions) &&
      // A new source is a new name, unless it is among the revisions.
      Object.entries(contents).every(([file, content]) => contentOf(file) === content)
    );
  }

  private namesWithout(versions: readonly string[]): string {
    const { written } = this.options;
    const names = this.files?.filter((file) => !versions.includes(path.dirname(file)) && !written.includes(file));
    return sha256(JSON.stringify(names));
  }

  private fits({ revisions, baseline, overlay }: Observe): Entry | undefined {
    const { entry, graph } = this;
    if (!entry || !graph || graph.problem || baseline !== undefined || overlay) return undefined;
    const { manifest } = entry;
    const kept = new Set(manifest.revisions);
    if (manifest.python !== this.python || revisions.some((revision) => kept.has(revision))) return undefined;
    return isBeginning(manifest.revisions, graph) ? entry : undefined;
  }

  /** Stores the copied server, unless something that its revisions depend on may have changed since the start. */
  private async store(): Promise<void> {
    const { graph, files, copied } = this;
    if (!graph || !files || !copied || graph.problem || !isBeginning(copied.pause.revisions, graph)) return;
    this.copied = undefined;
    const manifest = this.manifestOf(copied.pause, graph, files);
    if (manifest) rememberEntry(this.name, { manifest, packed: await pack(copied.data) });
  }

  /** The inputs of the copied server; undefined if one of them has changed since the start. */
  private manifestOf(pause: PauseFacts, graph: GraphFacts, files: readonly string[]): Manifest | undefined {
    const { options, setting, python } = this;
    const { revisions, environment } = pause;
    const revisionFiles = new Map(graph.revisions.map(({ revision, file }) => [revision, path.resolve(options.project, file)]));
    const versions = [...new Set([...revisionFiles.values()].map((file) => path.dirname(file)))];
    const inputs = this.inputsOf(pause, revisionFiles, versions);
    // A file that has changed in the meantime may have been read before or after.
    if (!inputs.every((file) => isOlder(file, options.since))) return undefined;
    if (JSON.stringify(filesBelow(options.project)) !== JSON.stringify(files) || settingOf(options) !== setting) return undefined;
    const contents = Object.fromEntries(inputs.map((file) => [file, contentOf(file)]));
    return { setting, python, names: this.namesWithout(versions), versions, contents, revisions, environment };
  }

  /** Absolute paths of all files that the applied revisions may depend on, sorted, and of folders where another source could hide one. */
  private inputsOf(
    { read, revisions }: PauseFacts,
    revisionFiles: ReadonlyMap<string, string>,
    versions: readonly string[],
  ): readonly string[] {
    const { project, written } = this.options;
    const later = new Set(revisionFiles.values());
    for (const revision of revisions) later.delete(revisionFiles.get(revision) as string);
    const inputs = [...read, ...revisionFiles.values(), ...(this.files ?? []).filter(isSource)].filter(
      (file) => !later.has(file) && !versions.includes(file) && !written.includes(file),
    );
    const folders = inputs.filter((file) => isSource(file) && !isBelow(file, project)).map((file) => path.dirname(file));
    return [...new Set([...inputs, ...folders])].sort();
  }
}

/** Variables that a shell sets for each command. */
const SHELL_VARIABLES = ['_', 'OLDPWD', 'SHLVL'];

function settingOf({ project, python, environment, x }: ReplayCacheOptions): string {
  const variables = Object.entries(process.env).filter(([name]) => !SHELL_VARIABLES.includes(name));
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const day = new Date().toISOString().slice(0, 10);
  return sha256(JSON.stringify([serverKey(project), observerCode(), python, environment, x, variables.sort(), timeZone, day]));
}

/** Whether these revisions are applied first, and the others follow them in the only possible order. */
function isBeginning(revisions: readonly string[], graph: GraphFacts): boolean {
  const all = graph.revisions.map(({ revision }) => revision);
  return (
    revisions.every((revision, at) => all[at] === revision) &&
    graph.revisions
      .slice(revisions.length)
      .every(
        ({ downRevisions, dependsOn }, at) =>
          dependsOn.length === 0 && downRevisions.length === 1 && downRevisions[0] === all[revisions.length + at - 1],
      )
  );
}

const PROCESS_FILES = /^(postmaster\.(pid|opts)|pg_stat_tmp|pg_stat|pg_dynshmem|pg_notify)$/;

/** The files of a running server that another one needs. */
function isNeeded([first, last]: PauseFacts['log']): (name: string) => boolean {
  return (name) => {
    const [top = '', file = ''] = name.split(path.sep);
    return top === 'pg_wal' ? file >= first && file <= last : !PROCESS_FILES.test(top);
  };
}

function isBelow(file: string, folder: string): boolean {
  return file.startsWith(folder + path.sep);
}
