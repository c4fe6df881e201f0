import type { AnswerDocument, FailureDocument } from '../answer/documents';
import type { TenantsDocument } from './tenants/documents';

/** What `migrate-invoke --json` prints. */
export type MigrateInvokeDocument = AnswerDocument | FailureDocument | TenantsDocument;
