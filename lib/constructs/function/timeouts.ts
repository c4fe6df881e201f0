/*
 * How long each tier of a deploy may take, in seconds. Each ends before the one around it, so that the reason of a failure always
 * finds somebody who is still listening. docs/timeouts.md shows them together with those of the handler (lambda/on-deploy/timeouts.ts).
 */

/** Lambda ends every call after this time, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const LAMBDA_SECONDS = 900;

/** The function that migrates, when a deploy calls it: its answer still reaches the handler. */
export const FUNCTION_SECONDS = 840;

/** The deploy handler's `isComplete`, which waits for a slice: its answer still reaches the Provider framework's function. */
export const IS_COMPLETE_SECONDS = 870;

/** The deploy handler's `onEvent`, which only looks: the wait for an inactive function and for an unreachable database fit in. */
export const ON_EVENT_SECONDS = 420;

/** How long a database that can't be reached may be tried again, at most: `onEvent` has to outlive it. */
export const MAX_CONNECT_RETRY_SECONDS = 180;

/**
 * CloudFormation waits so long for a custom resource, and no longer.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 */
export const CUSTOM_RESOURCE_SECONDS = 3600;
