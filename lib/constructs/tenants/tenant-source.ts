import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';
import type { TenantSourceSettings } from '../../contract/coordinator';
import { named } from '../../packaging/code-in-messages';
import { checkArgument, checkTypes, instance, nonEmpty, optional, type PropTypes, text } from '../function/prop-types';

/** Options of {@link TenantSource.fromTable}. */
export interface TenantTableOptions {
  /**
   * The attribute with the tenant's name, a string or a number.
   *
   * @default 'name'
   */
  readonly nameAttribute?: string;

  /**
   * The attribute with the name of its schema.
   *
   * @default - the schema has the tenant's name
   */
  readonly schemaAttribute?: string;

  /**
   * The attribute with the ARN of the secret of the tenant's own database. Tenants without it are in the function's database.
   *
   * @default - all tenants are in the function's database
   */
  readonly secretArnAttribute?: string;
}

const TABLE = instance('a table of DynamoDB, such as a dynamodb.Table', 'tableName');
const BUCKET = instance('a bucket, such as an s3.Bucket', 'bucketName');
const FUNCTION = instance('a function, such as a lambda.Function', 'functionArn');

const TABLE_OPTIONS: PropTypes<TenantTableOptions> = {
  nameAttribute: optional(nonEmpty),
  schemaAttribute: optional(nonEmpty),
  secretArnAttribute: optional(nonEmpty),
};

/** A source that is bound to the coordinator. */
export interface BoundSource {
  readonly settings: TenantSourceSettings;
  /** Resources that must exist before the tenants can be listed. */
  readonly dependencies: readonly IConstruct[];
}

/**
 * Where a run gets the list of tenants when it starts. A tenant has a unique name, optionally a schema, and optionally the ARN
 * of the secret of its own database.
 */
export class TenantSource {
  /**
   * A query on the function's database: a SELECT with the columns `name` and optionally `schema` and `secret_arn`:
   * `SELECT name FROM tenants WHERE active`.
   */
  static fromQuery(sql: string): TenantSource {
    checkArgument('TenantSource.fromQuery', 'sql', sql, text);
    const problems =
      sql.trim() === '' ? [`the query of ${named('TenantSource.fromQuery')} is empty: pass a SELECT with the column name`] : [];
    return new TenantSource(() => ({ settings: { kind: 'query' }, dependencies: [] }), problems, sql);
  }

  /** A DynamoDB table. Each item is a tenant. The table is scanned when a run starts. */
  static fromTable(table: dynamodb.ITable, options: TenantTableOptions = {}): TenantSource {
    checkArgument('TenantSource.fromTable', 'table', table, TABLE);
    checkTypes('TenantSource.fromTable', options, TABLE_OPTIONS);
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
    checkArgument('TenantSource.fromObject', 'bucket', bucket, BUCKET);
    checkArgument('TenantSource.fromObject', 'key', key, nonEmpty);
    return new TenantSource((coordinator) => {
      allow(coordinator, 's3:GetObject', bucket.arnForObjects(key));
      // Without this permission, S3 answers "access denied" for a missing object.
      allow(coordinator, 's3:ListBucket', bucket.bucketArn);
      bucket.encryptionKey?.grantDecrypt(coordinator);
      return { settings: { kind: 'object', bucket: bucket.bucketName, key }, dependencies: [bucket] };
    });
  }

  /** A function that gets `{}` and returns an array, each item a name or `{ "name", "schema", "secretArn" }`; at most 6 MB. */
  static fromFunction(fn: lambda.IFunction): TenantSource {
    checkArgument('TenantSource.fromFunction', 'fn', fn, FUNCTION);
    return new TenantSource((coordinator) => {
      allow(coordinator, 'lambda:InvokeFunction', fn.functionArn);
      return { settings: { kind: 'function', functionName: fn.functionName }, dependencies: [fn] };
    });
  }

  /** @internal */
  readonly _bind: (coordinator: iam.IGrantable) => BoundSource;

  /** @internal */
  readonly _problems: readonly string[];

  /** @internal The worker's query that lists the tenants. */
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
