/** Pages of docs/ by what a reader is about to do. A page that is in no group is listed last. */
export const GROUPS: readonly { readonly text: string; readonly pages: readonly string[] }[] = [
  { text: 'Start', pages: ['start', 'python-cdk', 'safe-alembic'] },
  { text: 'Write migrations', pages: ['create', 'review', 'guard'] },
  { text: 'Deploy', pages: ['your-backend', 'packaging-errors', 'props', 'ci', 'timeouts', 'long-statements', 'without-cdk'] },
  { text: 'Operate', pages: ['runbook', 'command', 'production', 'client', 'payload'] },
  { text: 'Many tenants', pages: ['tenants', 'tenants-deploy', 'tenants-env', 'scale'] },
  { text: 'Evidence', pages: ['reliability', 'tested-backends', 'performance', 'review-benchmark', 'security', 'compared'] },
  { text: 'Reference', pages: ['api'] },
];

/** What the sidebar calls a page whose heading is too long for it. */
export const SHORT: Readonly<Record<string, string>> = {
  start: 'CDK app in TypeScript',
  'python-cdk': 'CDK app in Python',
  'safe-alembic': 'Review only',
  props: 'Props',
  ci: 'CI/CD',
  command: 'The command',
  client: 'The client library',
  tenants: 'One run over all tenants',
  'tenants-deploy': 'What is deployed',
  'tenants-env': 'env.py',
  guard: 'Guard against data loss',
  scale: 'Estimates for 100,000',
  'tested-backends': 'Tested backends',
  'review-benchmark': 'Accuracy of the review',
  api: 'API of the constructs',
};

interface Item {
  readonly text: string;
  readonly link: string;
}

export interface Group {
  readonly text: string;
  readonly items: readonly (Item | Group)[];
  readonly collapsed?: boolean;
}

/** The groups with their pages. @param titles the heading of each page of the site, by its name */
export function groups(titles: ReadonlyMap<string, string>): Group[] {
  const item = (page: string): Item => ({ text: SHORT[page] ?? titles.get(page) ?? page, link: `/${page}` });
  const listed = new Set(GROUPS.flatMap(({ pages }) => pages));
  const others = [...titles.keys()].filter((page) => !listed.has(page));
  const all = others.length > 0 ? [...GROUPS, { text: 'More', pages: others }] : GROUPS;
  return all.map(({ text, pages }) => ({ text, items: pages.map(item) }));
}
