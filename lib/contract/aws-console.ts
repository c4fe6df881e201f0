/**
 * The console's domain of each partition, by the start of its regions' names,
 * https://docs.aws.amazon.com/general/latest/gr/rande.html
 */
const CONSOLES: readonly [regions: string, domain: string][] = [
  ['cn-', 'console.amazonaws.cn'],
  ['us-gov-', 'console.amazonaws-us-gov.com'],
  ['us-isob-', 'console.sc2shome.sgov.gov'],
  ['us-iso-', 'console.c2shome.ic.gov'],
  ['eusc-', 'console.amazonaws-eusc.eu'],
  ['', 'console.aws.amazon.com'],
];

/** The domain of the AWS console for a region. */
export function consoleDomain(region: string): string {
  const [, domain] = CONSOLES.find(([regions]) => region.startsWith(regions)) as [string, string];
  return domain;
}
