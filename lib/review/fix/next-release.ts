/** The functions of a revision that belongs to the next release, as lines of Python. */
export interface Later {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

export function revisionCode({ up, down }: Later): readonly string[] {
  const body = (lines: readonly string[]) => lines.map((line) => (line ? `    ${line}` : line));
  return ['def upgrade():', ...body(up), '', 'def downgrade():', ...body(down)];
}

/** The comment of this release's revision that keeps what the next one does. */
export function nextRelease(later: Later): readonly string[] {
  return [
    '# The next release needs a revision of its own. In this one it would break the running code:',
    ...revisionCode(later).map((line) => (line ? `#     ${line}` : '#')),
  ];
}
