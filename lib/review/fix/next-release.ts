/** The functions of a revision that belongs to the next release, as lines of Python. */
export interface LaterRevision {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

export function revisionCode({ up, down }: LaterRevision): readonly string[] {
  const body = (lines: readonly string[]) => lines.map((line) => (line ? `    ${line}` : line));
  return ['def upgrade():', ...body(up), '', 'def downgrade():', ...body(down)];
}

/** The comment in this release's revision with the code for the next release, in which `create` finds it (scratch/next_release.py). */
export function nextRelease(later: LaterRevision): readonly string[] {
  return [
    '# The next release needs a revision of its own. In this one it would break the running code:',
    ...revisionCode(later).map((line) => (line ? `#     ${line}` : '#')),
  ];
}
