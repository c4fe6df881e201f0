import { createHash } from 'node:crypto';
import { type CfnResource, Lazy, Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import { CfnFunction, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';

/**
 * Changes whenever the function's behavior may change: package, environment, memory, network, permissions. CloudFormation sends
 * the custom resource an Update only when one of its own properties changes. Computed at synth, to include a later
 * `addEnvironment`.
 */
export function fingerprint(fn: LambdaFunction): string {
  return Lazy.uncachedString({
    produce: () => {
      const stack = Stack.of(fn);
      const relevant = [...fn.node.findAll(), ...(fn.role?.node.findAll() ?? [])].filter(
        (construct): construct is CfnResource => construct instanceof CfnFunction || construct instanceof CfnPolicy,
      );
      const rendered = relevant.map((resource) => [resource.node.path, propertiesOf(resource)]);
      return createHash('sha256')
        .update(JSON.stringify(sortKeys(stack.resolve(rendered))))
        .digest('hex');
    },
  });
}

/** The properties in the CDK's own hash of a function version. Tags do not change the behavior. */
function propertiesOf(resource: CfnResource): unknown {
  const template = Stack.of(resource).resolve((resource as unknown as Renderable)._toCloudFormation()) as Rendered;
  const [{ Properties: { Tags: _, ...properties } = {} } = {}] = Object.values(template.Resources);
  return properties;
}

interface Renderable {
  _toCloudFormation(): unknown;
}

interface Rendered {
  readonly Resources: Record<string, { readonly Properties?: Record<string, unknown> }>;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}
