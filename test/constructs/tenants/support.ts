import { Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import { MigrationCode, MigrationDatabase, TenantMigration, type TenantMigrationProps, TenantSource } from '../../../lib';
import { type CoordinatorSettings, TENANTS_VARIABLE } from '../../../lib/contract/coordinator';
import { testApp } from '../app';
import { laidOutBackend, type Resource, resourcesOf } from '../support';

export type TenantOptions = Partial<TenantMigrationProps> | ((stack: Stack) => Partial<TenantMigrationProps>);

let shared: string | undefined;

/** A stack with one migration of tenants; what is not said has a small default. */
export function tenantStack(options: TenantOptions = {}): { stack: Stack; migration: TenantMigration } {
  const context = { [BUNDLING_STACKS]: [] };
  const stack = new Stack(testApp({ context }), 'Stack');
  shared ??= laidOutBackend();
  const migration = new TenantMigration(stack, 'Migration', {
    stage: 'dev',
    code: MigrationCode.fromDirectory(shared),
    database: MigrationDatabase.fromEnvironment(),
    tenants: TenantSource.fromQuery('SELECT name FROM tenants'),
    ...(typeof options === 'function' ? options(stack) : options),
  });
  return { stack, migration };
}

export function tenantTemplate(options: TenantOptions = {}): Template {
  return Template.fromStack(tenantStack(options).stack);
}

/** The errors that a synth shows. */
export function errorsOf(options: TenantOptions): string[] {
  const found = Annotations.fromStack(tenantStack(options).stack).findError('*', Match.anyValue());
  return found.map(({ entry }) => String(entry.data));
}

/** A function of the bundle `tenants`, by its export. */
export function handlerOf(template: Template, name: string): Resource {
  const found = resourcesOf(template, 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.Handler === `index.${name}`,
  );
  if (!found) throw new Error(`the template has no function with the handler ${name}`);
  return found[1];
}

/** What the construct tells the coordinator; what only the deploy knows stands as its logical id. */
export function coordinatorSettings(template: Template): CoordinatorSettings {
  return parsed(handlerOf(template, 'coordinate').Properties.Environment.Variables[TENANTS_VARIABLE]);
}

/** The state machine that runs over the tenants, not that of the deploy. */
export function machineOf(template: Template): Resource {
  const machines = resourcesOf(template, 'AWS::StepFunctions::StateMachine');
  const found = machines.find(([, { Properties }]) => Properties.StateMachineName !== undefined);
  if (!found) throw new Error('the template has no state machine with a name');
  return found[1];
}

export function definitionOf(template: Template): any {
  return parsed(machineOf(template).Properties.DefinitionString);
}

function parsed(value: any): any {
  const parts: any[] = typeof value === 'string' ? [value] : value['Fn::Join'][1];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : (part.Ref ?? part['Fn::GetAtt'][0]))).join(''));
}
