import { consoleDomain } from '../../contract/aws-console';

/** The log group of a function, given by name, ARN or partial ARN, with or without a version. */
export function logGroupOf(functionName: string): string {
  const parts = functionName.split(':');
  const marker = parts.indexOf('function');
  return `/aws/lambda/${marker < 0 ? parts[0] : parts[marker + 1]}`;
}

/**
 * Link to a log group in the CloudWatch console.
 *
 * @param since start of the shown period, in ms since 1970
 */
export function logLink(functionName: string, region: string, since: number): string {
  // The console's notation after `#`: encoded twice, with `$` instead of `%`.
  const encoded = (text: string) => encodeURIComponent(encodeURIComponent(text)).replaceAll('%', '$');
  const events = `log-events${encodeURIComponent(`?start=${since}`).replaceAll('%', '$')}`;
  const host = `${region}.${consoleDomain(region)}`;
  return `https://${host}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${encoded(logGroupOf(functionName))}/${events}`;
}
