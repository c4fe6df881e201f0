import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import type { Construct } from 'constructs';
import { acknowledgeFramework } from '../aws/acknowledged';
import { type BundledFunctionProps, bundledFunction, bundledFunctionRole } from '../aws/bundled-function';
import { encryptExecutions } from '../aws/encrypted-executions';
import { CUSTOM_RESOURCE_SECONDS } from '../function/timeouts';

export interface DeployProviderProps {
  readonly bundle: BundledFunctionProps['bundle'];
  readonly logGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey | undefined;
  /** Adds permissions for the handlers. */
  readonly permit: (handlerRole: iam.Role) => void;
  readonly onEvent: DeployHandler;
  /** @default - a deploy does not wait */
  readonly isComplete?: DeployHandler;
}

export interface DeployHandler {
  readonly description: string;
  readonly timeout: Duration;
}

/** CDK's Provider framework with a bundle's `onEvent` and `isComplete`, directly below the scope. */
export function deployProvider(scope: Construct, props: DeployProviderProps): Provider {
  const { bundle, logGroup, encryptionKey, onEvent, isComplete } = props;
  const role = (id: string) => bundledFunctionRole(scope, id, props);
  const handlerRole = role('HandlerRole');
  props.permit(handlerRole);
  // Lets the handler check whether the stack is rolling back: the database stays unchanged then.
  handlerRole.addToPolicy(
    new iam.PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [Stack.of(scope).stackId] }),
  );
  const handler = (name: 'onEvent' | 'isComplete', options: DeployHandler) =>
    bundledFunction(scope, name, { bundle, handler: name, role: handlerRole, logGroup, encryptionKey, ...options });

  const onEventHandler = handler('onEvent', onEvent);
  const isCompleteHandler = isComplete && handler('isComplete', isComplete);
  const provider = new Provider(scope, 'Provider', {
    onEventHandler,
    // Two roles: a shared role would make the framework's functions depend on each other.
    frameworkOnEventRole: role('FrameworkOnEventRole'),
    ...(isCompleteHandler && {
      isCompleteHandler,
      queryInterval: Duration.seconds(1),
      totalTimeout: Duration.seconds(CUSTOM_RESOURCE_SECONDS),
      frameworkCompleteAndTimeoutRole: role('FrameworkIsCompleteRole'),
    }),
    logGroup,
    ...(encryptionKey && { providerFunctionEnvEncryption: encryptionKey }),
  });
  if (encryptionKey && isComplete) encryptExecutions(provider, encryptionKey);
  acknowledgeFramework(scope);
  return provider;
}
