import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import type { Resource } from '../support';

/** A resource of any stack, with the ids of what CloudFormation deploys before it. */
interface Node {
  readonly stack: string;
  readonly id: string;
  readonly resource: Resource;
}

/** What an app deploys, over all of its stacks, stages and nested stacks. */
export class DeploymentOrder {
  private readonly nodes: Node[] = [];
  private readonly waits = new Map<string, Set<string>>();

  constructor(assembly: CloudAssembly) {
    for (const stack of assembly.stacksRecursively) {
      const { directory } = stack.assembly;
      this.addStack(stack.hierarchicalId, directory, stack.templateFile);
      for (const dependency of stack.dependencies) {
        const before = assembly.stacksRecursively.find(({ id }) => id === dependency.id);
        if (before) this.wait(start(stack.hierarchicalId), end(before.hierarchicalId));
      }
    }
  }

  /** The resources of a type, with the stack that each is in. */
  find(type: string): Node[] {
    return this.nodes.filter(({ resource }) => resource.Type === type);
  }

  /** Types of everything that is deployed before a resource, `stack/type`. Throws when two things wait for each other. */
  before({ stack, id }: Pick<Node, 'stack' | 'id'>): Set<string> {
    const found = new Set<string>();
    const visit = (name: string, path: readonly string[]): void => {
      if (path.includes(name)) throw new Error(`a circle: ${[...path, name].join(' -> ')}`);
      for (const next of this.waits.get(name) ?? []) {
        if (!found.has(next)) visit(next, [...path, name]);
        found.add(next);
      }
    };
    visit(key(stack, id), []);
    return found;
  }

  isBefore(first: Node, second: Node): boolean {
    return this.before(second).has(key(first.stack, first.id));
  }

  private addStack(stack: string, directory: string, templateFile: string): void {
    const { Resources } = JSON.parse(readFileSync(join(directory, templateFile), 'utf8')) as {
      Resources: Record<string, Resource>;
    };
    for (const [id, resource] of Object.entries(Resources)) {
      const name = key(stack, id);
      this.nodes.push({ stack, id, resource });
      const referred = [...JSON.stringify(resource).matchAll(/"(?:Ref":"|Fn::GetAtt":\[")([^"]+)"/g)].map(
        ([, target]) => target as string,
      );
      const before = [...referred, ...(resource.DependsOn ?? [])]
        .filter((target) => target in Resources)
        .map((target) => key(stack, target));
      for (const target of [start(stack), ...before]) this.wait(name, target);
      this.wait(end(stack), name);
      const asset = (resource as { Metadata?: Record<string, string> }).Metadata?.['aws:asset:path'];
      if (resource.Type !== 'AWS::CloudFormation::Stack' || !asset) continue;
      this.addStack(name, directory, asset);
      for (const target of [start(stack), ...before]) this.wait(start(name), target);
      this.wait(name, end(name));
    }
  }

  private wait(name: string, target: string): void {
    this.waits.set(name, (this.waits.get(name) ?? new Set()).add(target));
  }
}

function key(stack: string, id: string): string {
  return `${stack}/${id}`;
}

function start(stack: string): string {
  return `${stack}: start`;
}

function end(stack: string): string {
  return `${stack}: end`;
}
