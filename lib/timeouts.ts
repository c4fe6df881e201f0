/*
 * How long each tier of a deploy may take, in seconds. Each ends before the one around it, so that the reason of a failure always
 * finds somebody who is still listening. docs/timeouts.md shows them together. This file imports nothing, so that every room may
 * import it.
 */

/** Lambda ends every call after this time, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const LAMBDA_SECONDS = 900;

/** The function that migrates, when a deploy calls it: its answer still reaches the handler. */
export const FUNCTION_SECONDS = 840;

/** The deploy handler's `isComplete`, which waits for a slice: its answer still reaches the Provider framework's function. */
export const IS_COMPLETE_SECONDS = 870;

/** The deploy handler's `onEvent`, which only looks: an inactive function (5 minutes) and an unreachable database fit in. */
export const ON_EVENT_SECONDS = 600;

/** How long a database that can't be reached may be tried again, at most: `onEvent` has to outlive it. */
export const MAX_CONNECT_RETRY_SECONDS = 180;

/**
 * CloudFormation waits so long for a custom resource, and no longer.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 */
export const CUSTOM_RESOURCE_SECONDS = 3600;

/** The state machine's own pauses, and the answer's way back to CloudFormation. */
const RETURN_SECONDS = 60;

/** After so long since the deploy's request came, no further slice is asked for: one may take all of Lambda's time. */
export const LAST_SLICE_SECONDS = CUSTOM_RESOURCE_SECONDS - LAMBDA_SECONDS - RETURN_SECONDS;
