import { ACCESS_DENIED, type Handler } from './server';

/** DescribeStacks. @param status undefined: access denied */
export function cloudFormation(status: () => string | undefined): Handler {
  return () => {
    const found = status();
    return found === undefined ? ACCESS_DENIED : { body: stackXml(found) };
  };
}

function stackXml(status: string): string {
  return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>
    <StackName>app</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus>
  </member></Stacks></DescribeStacksResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>`;
}
