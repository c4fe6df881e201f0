import { App, type AppProps } from 'aws-cdk-lib';
import { temporaryDirectory } from '../packaging/support';

/** An app that a test synthesizes, without what nobody reads: the validation of templates alone takes five seconds, the tree a fifth of the rest. */
export function testApp(props: AppProps = {}): App {
  return new App({ builtinCloudFormationValidation: false, treeMetadata: false, outdir: temporaryDirectory(), ...props });
}
