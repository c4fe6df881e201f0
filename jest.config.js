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

module.exports = {
  // Ends a test that hangs. On a quiet machine the longest takes a minute; a busy one gets the time it needs.
  testTimeout: 600_000,
  testSequencer: '<rootDir>/test/all/longest-first.js',
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '/test/e2e/',
        '/test/review/majors.test.ts',
        '/test/packages/managers.test.ts',
        '/test/bench/(end-to-end|tenants).test.ts',
      ],
    },
    // For the soak tests: the benchmark with one run of two rows, and what takes minutes.
    { ...common, displayName: 'bench', testMatch: ['<rootDir>/test/bench/{end-to-end,tenants}.test.ts'] },
    { ...common, displayName: 'majors', testMatch: ['<rootDir>/test/review/majors.test.ts'] },
    { ...common, displayName: 'managers', testMatch: ['<rootDir>/test/packages/managers.test.ts'] },
    ...olderCdk,
    // It waits for a timer.
    { ...common, displayName: 'schedule', testMatch: ['<rootDir>/test/e2e/schedule.test.ts'] },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/test/e2e/schedule.test.ts'],
    },
  ],
};
