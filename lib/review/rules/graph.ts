import type { GraphFacts } from '../../contract/facts';
import type { Change } from '../revision/change';
import type { Rule } from './rule';

export const severalHeads: Rule = {
  id: 'several-heads',
  group: 'graph',
  severity: 'error',
  title: 'there are several heads',
  *checkProject({ input: { graph } }) {
    // orphan-revision reports the problem.
    if (graph.problem) return;
    if (graph.heads.length < 2 || graph.headsAreMeant) return;
    const heads = graph.revisions.filter(({ revision }) => graph.heads.includes(revision));
    const ids = heads.map(({ revision }) => revision);
    const last = heads.at(-1);
    const { command = 'alembic' } = graph;
    yield {
      file: last?.file ?? '',
      line: 1,
      seen: 'source',
      revision: last?.revision,
      message: `there are ${heads.length} heads, ${ids.join(' and ')}: "${command} upgrade head" fails with "Multiple head revisions are present", and the deploy applies nothing`,
      instead: `# set down_revision = "${ids[0]}" in ${last?.file} if it is not released yet, or: ${command} merge -m "Merge heads" ${ids.join(' ')}`,
    };
  },
};

export const orphanRevision: Rule = {
  id: 'orphan-revision',
  group: 'graph',
  severity: 'error',
  title: 'a revision follows one that does not exist, or is not connected to the others',
  *checkProject({ input: { graph, environment } }) {
    const ids = new Set(graph.revisions.map(({ revision }) => revision));
    let reported = false;
    for (const { revision, file, downRevisions, dependsOn } of graph.revisions) {
      const missing = [...downRevisions, ...(graph.problem ? dependsOn : [])].filter(
        (down) => !matchesRevision(down, ids, graph),
      );
      if (!missing.length) continue;
      reported = true;
      yield {
        file,
        revision,
        line: 1,
        seen: 'source',
        ...(graph.mayLoadElsewhere ? { atMost: 'warning' as const } : {}),
        message: graph.mayLoadElsewhere
          ? `${revision} follows ${missing.join(' and ')}, which no folder here has: the application, which could not be loaded, may add one`
          : `${revision} follows ${missing.join(' and ')}, which does not exist: Alembic can't load any revision ("Can't locate revision"), and every run fails`,
      };
    }
    // Without the modules and variables that env.py needs, files do not load either: the review then fails as not checked.
    const isUndecided = environment?.failure !== undefined && graph.mayLoadElsewhere;
    if (graph.problem && !reported && !isUndecided) {
      const file = graph.revisions.find((revision) => graph.problem?.includes(revision.revision))?.file ?? 'alembic.ini';
      yield { file, line: 1, seen: 'source', message: `Alembic can't load the revisions: ${graph.problem}` };
    }
    const bases = graph.revisions.filter(({ downRevisions, branchLabels }) => !downRevisions.length && !branchLabels.length);
    for (const { revision, file, dependsOn } of graph.problem ? [] : bases.slice(1)) {
      if (dependsOn.length) continue;
      yield {
        file,
        revision,
        line: 1,
        seen: 'source',
        atMost: 'warning',
        message: `${revision} has no down_revision, but ${bases[0]?.revision} is already the first revision: it is not connected to the others, and its branch has no label`,
      };
    }
  },
};

/** Alembic accepts the start of an id, and labels. */
function matchesRevision(down: string, ids: ReadonlySet<string>, { revisions }: GraphFacts): boolean {
  return (
    ids.has(down) ||
    [...ids].some((id) => id.startsWith(down)) ||
    revisions.some(({ branchLabels }) => branchLabels.includes(down))
  );
}

/** Alembic loads the files within the first command that needs them, most commands without a database. */
export const runsAtLoad: Rule = {
  id: 'runs-at-load',
  group: 'graph',
  severity: 'error',
  title: 'the revision uses `op` or connects outside of its functions',
  *check({ facts: { atLoad } }, { input: { graph } }) {
    if (!atLoad) return;
    const { command = 'alembic' } = graph;
    const fails = atLoad.connects ? 'it fails where none can be reached' : 'it fails with a NameError';
    yield {
      line: atLoad.line,
      seen: 'source',
      message:
        `this runs whenever Alembic loads the file: without a database, as in "${command} heads", "history" and "merge", ${fails}; ` +
        'in each "upgrade", "downgrade" and "current", what it executes runs before the first pending revision, even if this revision is applied already',
      instead: `def upgrade():\n    ${atLoad.code}  # and in downgrade(), if that needs it`,
    };
  },
};

export const mergeDoesWork: Rule = {
  id: 'merge-does-work',
  group: 'graph',
  severity: 'warning',
  title: 'a merge of heads also does work',
  *check({ facts, upgrade }) {
    if (facts.downRevisions.length < 2) return;
    const [first] = upgrade.steps.filter(({ action }) => !['other', 'set', 'reset'].includes(action.does));
    if (!first) return;
    yield {
      ...first.place,
      message: `a merge that does work: databases apply ${facts.downRevisions.join(' and ')} in different orders, and a downgrade must choose a branch`,
      instead: '# leave the merge empty, and do the work in a revision after it',
    };
  },
};

export const editedRevision: Rule = {
  id: 'edited-revision',
  group: 'graph',
  severity: 'error',
  title: 'a revision that is already on the base branch is changed or removed',
  *checkProject(change) {
    for (const { file, how } of change.input.edited) {
      const revision = revisionOf(file, change);
      yield {
        file,
        revision,
        line: 1,
        seen: 'source',
        message:
          how === 'removed'
            ? `${file} is on the base branch and is removed here: a database that ran it fails with "Can't locate revision"`
            : `${file} is on the base branch and is changed here: a database that ran it never runs the change, so databases differ`,
        instead:
          how === 'removed'
            ? '# keep the file, and undo its work in a new revision'
            : '# undo the edit, and make the change in a new revision',
      };
    }
  },
};

function revisionOf(file: string, { input }: Change): string | undefined {
  return input.graph.revisions.find((revision) => revision.file === file)?.revision;
}
