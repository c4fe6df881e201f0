import { functionName, type OnDeployProperties } from '../../lib/contract';
import type { Aws } from './aws';
import type { CloudFormation, Delivered, Delivery } from './cloudformation';
import type { MigrateFunction } from './migrate-function';

export const FUNCTION = functionName('app', 'dev');
export const STACK_ID = 'arn:aws:cloudformation:eu-central-1:111122223333:stack/app-dev/5ac8a3a0-0000-0000-0000-000000000000';

/** A stack with the function and the custom resource that depends on it, as CloudFormation changes it. */
export class Stack {
  private physicalId = '';
  private properties?: OnDeployProperties;
  private code?: string;

  constructor(
    private readonly aws: Aws,
    private readonly cloudFormation: CloudFormation,
    private readonly fn: MigrateFunction,
  ) {}

  get status(): string | undefined {
    return this.aws.stackStatus;
  }

  /** First deploy. A failed one is deleted again. */
  async create(code: string, delivery?: Delivery): Promise<Delivered> {
    this.aws.stackStatus = 'CREATE_IN_PROGRESS';
    this.fn.code = code;
    const properties = propertiesOf(code);
    const created = await this.send('Create', { ResourceProperties: properties }, delivery);
    Object.assign(this, { code, properties, physicalId: created.response.PhysicalResourceId });
    if (created.response.Status === 'SUCCESS') {
      this.aws.stackStatus = 'CREATE_COMPLETE';
      return created;
    }
    this.aws.stackStatus = 'ROLLBACK_IN_PROGRESS';
    const deleted = await this.send('Delete', { PhysicalResourceId: this.physicalId, ResourceProperties: properties });
    this.aws.stackStatus = deleted.response.Status === 'SUCCESS' ? 'ROLLBACK_COMPLETE' : 'ROLLBACK_FAILED';
    return created;
  }

  /** A deploy of another release. When it fails, or something beside it does, it is rolled back. */
  async update(
    code: string,
    { siblingFails = false, delivery, beforeRollback }: UpdateOptions = {},
  ): Promise<{ updated: Delivered; rolledBack?: Delivered }> {
    this.aws.stackStatus = 'UPDATE_IN_PROGRESS';
    const before = { code: this.code, properties: this.properties as OnDeployProperties, physicalId: this.physicalId };
    const after = propertiesOf(code);
    this.fn.code = code;
    const updated = await this.send('Update', this.change(before.physicalId, before.properties, after), delivery);
    const physicalId = updated.response.PhysicalResourceId;
    if (updated.response.Status === 'SUCCESS' && !siblingFails) {
      Object.assign(this, { code, properties: after, physicalId });
      this.aws.stackStatus = 'UPDATE_COMPLETE';
      return { updated };
    }
    this.aws.stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';
    this.fn.code = before.code;
    await beforeRollback?.();
    const rolledBack = await this.send('Update', this.change(physicalId, after, before.properties));
    this.aws.stackStatus = rolledBack.response.Status === 'SUCCESS' ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_FAILED';
    return { updated, rolledBack };
  }

  /** The logical id or the type of the resource has changed: a Create of the new one, then a Delete of the old one. */
  async replace(code: string): Promise<{ created: Delivered; deleted: Delivered }> {
    this.aws.stackStatus = 'UPDATE_IN_PROGRESS';
    this.fn.code = code;
    const created = await this.send('Create', { ResourceProperties: propertiesOf(code) });
    this.aws.stackStatus = 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS';
    const deleted = await this.send('Delete', { PhysicalResourceId: this.physicalId, ResourceProperties: this.properties });
    this.aws.stackStatus = 'UPDATE_COMPLETE';
    return { created, deleted };
  }

  /** @param physicalId another one than was issued: a sibling has failed during a slow Create */
  async remove(physicalId = this.physicalId): Promise<Delivered> {
    this.aws.stackStatus = 'DELETE_IN_PROGRESS';
    const deleted = await this.send('Delete', { PhysicalResourceId: physicalId, ResourceProperties: this.properties });
    this.aws.stackStatus = deleted.response.Status === 'SUCCESS' ? 'DELETE_COMPLETE' : 'DELETE_FAILED';
    return deleted;
  }

  private change(PhysicalResourceId: string, OldResourceProperties: object, ResourceProperties: object): object {
    return { PhysicalResourceId, OldResourceProperties, ResourceProperties };
  }

  private send(RequestType: 'Create' | 'Update' | 'Delete', fields: object, delivery?: Delivery): Promise<Delivered> {
    return this.cloudFormation.deliver({ RequestType, StackId: STACK_ID, ...fields }, delivery);
  }
}

export interface UpdateOptions {
  readonly siblingFails?: boolean;
  readonly delivery?: Delivery;
  /** What breaks before the rollback reaches the custom resource. */
  readonly beforeRollback?: () => void | Promise<void>;
}

/** What the construct hands over; the fingerprint changes with the package. */
function propertiesOf(code: string): OnDeployProperties {
  return { ServiceToken: 'token', FunctionName: FUNCTION, Stage: 'dev', Fingerprint: code };
}
