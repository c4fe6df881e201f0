/* What every function that migrates needs, whoever creates it. */

/** Lambda's longest timeout, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const LAMBDA_SECONDS = 900;

/** The function's default memory. */
export const MEMORY_MB = 512;

/**
 * The permissions that Lambda requires to attach a function to a VPC. All of them require `*`.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 */
export const NETWORK_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];
