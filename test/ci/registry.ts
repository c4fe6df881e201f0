import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import packageJson from '../../package.json';
import { manifest } from '../../scripts/packages/cdk-alembic';

/** A package registry on this machine that has this package and no other: what runs from it needs no other. */
export interface Registry {
  readonly url: string;
  /** Versions that someone downloaded, in order. */
  readonly installed: readonly string[];
  stop(): Promise<void>;
}

/** @param tarball the package, offered as its own version and as each of `versions` */
export async function startRegistry(tarball: string, versions: readonly string[]): Promise<Registry> {
  const bytes = readFileSync(tarball);
  const { name, bin, peerDependencies, peerDependenciesMeta } = manifest(packageJson.peerDependencies);
  const installed: string[] = [];
  const server = createServer((request, response) => {
    const version = /^\/tarball\/(.*)\.tgz$/.exec(request.url ?? '')?.[1];
    if (version) {
      installed.push(version);
      response.end(bytes);
    } else if (request.url === `/${name}`) {
      const described = [packageJson.version, ...versions].map((v) => [
        v,
        { name, version: v, bin, peerDependencies, peerDependenciesMeta, dist: { tarball: `${url()}/tarball/${v}.tgz` } },
      ]);
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ name, 'dist-tags': { latest: packageJson.version }, versions: Object.fromEntries(described) }),
      );
    } else {
      response.statusCode = 404;
      response.end('{}');
    }
  });
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: url(),
    installed,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
