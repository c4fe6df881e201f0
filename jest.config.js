// ES modules among the packages that our code imports: jest reads CommonJS only.
const ES_MODULES = ['string-width', 'get-east-asian-width', 'strip-ansi', 'ansi-regex'];

const common = {
  testEnvironment: 'node',
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }],
    [`/node_modules/(${ES_MODULES.join('|')})/.*\\.js$`]: [
      '@swc/jest',
      { jsc: { target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${ES_MODULES.join('|')})/)`],
  // `import()` names the compiled file.
  moduleNameMapper: { '^(\\./(?:action|run))\\.js$': '$1' },
  modulePathIgnorePatterns: ['/dist/', '/cdk.out/', '/.cache/'],
};

// The constructs' test with the CDK in another node_modules; `npm test` sets CDK_MODULES to it.
const olderCdk = process.env.CDK_MODULES
  ? [
      {
        ...common,
        displayName: 'older-cdk',
        testMatch: ['<rootDir>/test/constructs/stacks/stacks.test.ts'],
        moduleNameMapper: { '^(aws-cdk-lib|constructs)(/.*)?$': `${process.env.CDK_MODULES}/$1$2` },
      },
    ]
  : [];

/** Test files that take minutes, by the part of the soak tests that runs them. */
const SOAK = {
  bench: 'bench/(end-to-end|tenants)',
  ci: 'e2e/ci',
  majors: 'review/majors',
  managers: 'packages/managers',
  schedule: 'e2e/schedule',
  skill: 'packages/skill',
};
const soak = Object.entries(SOAK).map(([displayName, files]) => ({
  ...common,
  displayName,
  testRegex: `/test/${files}\\.test\\.ts$`,
}));
const outsideNpmTest = ['/node_modules/', ...soak.map(({ testRegex }) => testRegex)];

module.exports = {
  // Ends a test that hangs. On a quiet machine the longest takes a minute; a busy one gets the time it needs.
  testTimeout: 600_000,
  testSequencer: '<rootDir>/test/all/longest-first.js',
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [...outsideNpmTest, '/test/e2e/'],
    },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts'], testPathIgnorePatterns: outsideNpmTest },
    ...olderCdk,
    ...soak,
  ],
};
