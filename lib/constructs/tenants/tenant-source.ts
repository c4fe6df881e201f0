import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';
import type { TenantSourceSettings } from '../../contract/coordinator';

/** Options of {@link TenantSource.fromTable}. */
export interface TenantTableOptions {
  /**
   * The attribute with the tenant's name, a text or a number.
   *
   * @default 'name'
   */
  readonly nameAttribute?: string;

  /**
   * The attribute with the name of its schema.
   *
   * @default - the name is the schema's, too
   */
  readonly schemaAttribute?: string;

  /**
   * The attribute with the ARN of the secret of its own database. Items without it are in the function's database.
   *
   * @default - all tenants are in the function's database
   */
  readonly secretArnAttribute?: string;
}

/** What a source is when it is bound to the coordinator. */
export interface BoundSource {
  readonly settings: TenantSourceSettings;
  /** What must be in place before the tenants can be listed. */
  readonly dependencies: readonly IConstruct[];
}

/**
 * Where the tenants are listed, when a run begins. A tenant is a unique name, at most a schema, and at most the ARN of a secret with
 * a database of its own.
 */
export class TenantSource {
  /**
   * A query on the function's own database, a SELECT with the columns `name` and, where they are needed, `schema` and `secret_arn`:
   * `SELECT name FROM tenants WHERE active`.
   */
  static fromQuery(sql: string): TenantSource {
    const problems =
      sql.trim() === '' ? ['the query of TenantSource.fromQuery is empty: give a SELECT with the column name'] : [];
    return new TenantSource(() => ({ settings: { kind: 'query' }, dependencies: [] }), problems, sql);
  }

  /** A DynamoDB table; every item is a tenant. It is scanned when a run begins. */
  static fromTable(table: dynamodb.ITable, options: TenantTableOptions = {}): TenantSource {
    const { nameAttribute = 'name', schemaAttribute, secretArnAttribute } = options;
    return new TenantSource((coordinator) => {
      allow(coordinator, 'dynamodb:Scan', table.tableArn);
      table.encryptionKey?.grantDecrypt(coordinator);
      const { tableName } = table;
      return {
        settings: { kind: 'table', tableName, nameAttribute, schemaAttribute, secretArnAttribute },
        dependencies: [table],
      };
    });
  }

  /** An object in S3: a JSON array or JSON lines, each item a name or `{ "name", "schema", "secretArn" }`. */
  static fromObject(bucket: s3.IBucket, key: string): TenantSource {
    return new TenantSource((coordinator) => {
      allow(coordinator, 's3:GetObject', bucket.arnForObjects(key));
      // Without it S3 says "access denied" of an object that is not there.
      allow(coordinator, 's3:ListBucket', bucket.bucketArn);
      bucket.encryptionKey?.grantDecrypt(coordinator);
      return { settings: { kind: 'object', bucket: bucket.bucketName, key }, dependencies: [bucket] };
    });
  }

  /** A function that gets `{}` and returns an array, each item a name or `{ "name", "schema", "secretArn" }`; 6 MB at most. */
  static fromFunction(fn: lambda.IFunction): TenantSource {
    return new TenantSource((coordinator) => {
      allow(coordinator, 'lambda:InvokeFunction', fn.functionArn);
      return { settings: { kind: 'function', functionName: fn.functionName }, dependencies: [fn] };
    });
  }

  /** @internal */
  readonly _bind: (coordinator: iam.IGrantable) => BoundSource;

  /** @internal */
  readonly _problems: readonly string[];

  /** @internal The query that the worker lists them by. */
  readonly _query?: string;

  private constructor(bind: (coordinator: iam.IGrantable) => BoundSource, problems: readonly string[] = [], query?: string) {
    this._bind = bind;
    this._problems = problems;
    this._query = query;
  }
}

function allow(grantee: iam.IGrantable, action: string, ...resourceArns: string[]): void {
  iam.Grant.addToPrincipal({ grantee, actions: [action], resourceArns });
}
