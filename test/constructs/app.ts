import { App, type AppProps } from 'aws-cdk-lib';
import { temporaryDirectory } from '../packaging/support';

/** Where each resource was created: a tenth of the time of a synth in jest. */
const NO_TRACES = { 'aws:cdk:disable-creation-stack-traces': true };

/** An app that a test synthesizes, without what nobody reads: the validation of templates alone takes five seconds, the tree a fifth of the rest. */
export function testApp({ context, ...props }: AppProps = {}): App {
  return new App({
    builtinCloudFormationValidation: false,
    treeMetadata: false,
    outdir: temporaryDirectory(),
    context: { ...NO_TRACES, ...context },
    ...props,
  });
}
