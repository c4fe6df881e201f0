import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { copyRunner } from '../../lib/packaging/layout/package';
import { isRdsRegionKnown } from '../../lib/packaging/layout/rds-certificates';
import { read, temporaryDirectory } from './support';

let bundle: string;
let certificates: X509Certificate[];
beforeAll(() => {
  const target = temporaryDirectory();
  copyRunner(target);
  bundle = join(target, 'cdk_alembic', 'rds-ca.pem');
  const parts = read(bundle)
    .toString('utf8')
    .split(/(?<=-----END CERTIFICATE-----)\n/)
    .filter(Boolean);
  certificates = parts.map((part) => new X509Certificate(part));
});

/** The roots that RDS uses today, https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html */
const REGIONS = [
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'sa-east-1'],
  ...['eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-2', 'eu-west-3'],
  ...['ap-south-1', 'ap-south-2', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-east-1'],
  ...['ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4', 'af-south-1', 'me-south-1', 'me-central-1'],
];

test.each(REGIONS)('certificates of databases in %s can be verified with each of the three roots', (region) => {
  for (const kind of ['RSA2048', 'RSA4096', 'ECC384']) {
    const root = certificates.find(({ subject }) => subject.includes(`CN=Amazon RDS ${region} Root CA ${kind} G1`));
    expect(root?.ca).toBe(true);
    expect(root?.verify(root.publicKey)).toBe(true);
    expect(Date.parse(root?.validTo ?? '')).toBeGreaterThan(Date.now());
  }
  expect(isRdsRegionKnown(region)).toBe(true);
});

test('a region without a packaged root is recognized', () => {
  expect(isRdsRegionKnown('ap-nowhere-1')).toBe(false);
});

test('the certificate of RDS Proxy, signed by a public Amazon authority, can be verified', () => {
  for (const name of ['Amazon Root CA 1', 'Amazon Root CA 2', 'Amazon Root CA 3', 'Amazon Root CA 4']) {
    expect(certificates.some(({ subject, ca }) => subject.includes(`CN=${name}`) && ca)).toBe(true);
  }
});

test('every authority in the file belongs to Amazon', () => {
  for (const { subject } of certificates) expect(subject).toMatch(/O=(Amazon|Starfield)/);
});

test('the TLS of Python, which the drivers use, accepts the whole file', () => {
  const script = 'import ssl, sys; print(ssl.create_default_context(cafile=sys.argv[1]).cert_store_stats()["x509"])';
  const run = spawnSync('python3', ['-I', '-c', script, bundle], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(Number(run.stdout)).toBe(certificates.length);
});
