import { ACCESS_DENIED, type Handler } from './server';

/** GetCallerIdentity: an identity, access denied, or no answer at all. */
export function sts(identity: boolean | 'hang' = true): Handler {
  return () => (identity === 'hang' ? 'hang' : identity ? { body: IDENTITY_XML } : ACCESS_DENIED);
}

const IDENTITY_XML = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
  <Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
  </GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;
