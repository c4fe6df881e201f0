import { DEFAULT_APP_NAME } from '../../contract';
import type { CommandLine } from '../options';
import type { OptionName } from './options';

type Environment = Readonly<Record<string, string | undefined>>;

/** The app name if the command line has none. */
export const APP_NAME_VARIABLE = 'CDK_ALEMBIC_APP_NAME';

/** Variables with an endpoint for the SDK, https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
const ENDPOINT_VARIABLES = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_LAMBDA',
  'AWS_ENDPOINT_URL_SFN',
  'AWS_ENDPOINT_URL_STS',
  'AWS_ENDPOINT_URL_CLOUDWATCH_LOGS',
];

/** How to reach AWS, and the name of the app there. */
export interface Connection {
  readonly appName: string;
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
}

export function readConnection(line: CommandLine<OptionName>, environment: Environment = process.env): Connection {
  return {
    appName: line.text('app-name') ?? (environment[APP_NAME_VARIABLE] || DEFAULT_APP_NAME),
    region: line.text('region'),
    profile: line.text('profile'),
    endpoint: line.text('endpoint-url'),
  };
}

/** Malformed addresses, which would make the SDK print a stack trace. */
export function connectionProblems({ endpoint }: Connection, environment: Environment = process.env): string[] {
  const given: [name: string, address: string | undefined][] = [
    ['--endpoint-url', endpoint],
    ...ENDPOINT_VARIABLES.map((name): [string, string | undefined] => [name, environment[name]]),
  ];
  return given.flatMap(([name, address]) =>
    address && !isAddress(address) ? [`${name} ${address} is not an address such as http://localhost:4566`] : [],
  );
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
