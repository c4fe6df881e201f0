/*
 * The timeouts of a deploy's tiers, in seconds. Each is shorter than the enclosing one, so the caller is still waiting when a
 * failure is reported. docs/timeouts.md shows them together with the handler's (lambda/on-deploy/timeouts.ts).
 */

/** The function that migrates, when a deploy calls it: shorter than the handler's timeout, so that its answer arrives. */
export const FUNCTION_SECONDS = 840;

/**
 * The deploy handler's `isComplete`, which waits for a slice: shorter than the timeout of the Provider framework's function.
 */
export const IS_COMPLETE_SECONDS = 870;

/** The deploy handler's `onEvent`, which only plans: covers the wait for an inactive function and an unreachable database. */
export const ON_EVENT_SECONDS = 420;

/** The longest time to retry an unreachable database: shorter than `onEvent`. */
export const MAX_CONNECT_RETRY_SECONDS = 180;

/**
 * The longest time that CloudFormation waits for a custom resource.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 */
export const CUSTOM_RESOURCE_SECONDS = 3600;
