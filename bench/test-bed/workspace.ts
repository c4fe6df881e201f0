import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Backend, sampleWith300 } from './backends';
import type { TestBed } from './test-bed';

/** What backends of this size often depend on. */
const DEPENDENCIES = (
  'aiofiles anyio arrow attrs babel bcrypt beautifulsoup4 bleach cachetools cattrs celery click cryptography email-validator faker ' +
  'geoalchemy2 httpx itsdangerous jinja2 lxml markdown marshmallow more-itertools openpyxl opentelemetry-api opentelemetry-sdk orjson ' +
  'passlib phonenumbers prometheus-client pydantic-settings pyjwt python-dateutil python-dotenv python-multipart pytz pyyaml qrcode ' +
  'redis requests rich sentry-sdk slowapi sqlalchemy-utils stripe structlog tenacity tomlkit typer websockets'
).split(' ');

const MEMBER = `[project]
name = "shared-settings"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["pydantic-settings"]

[build-system]
requires = ["uv_build>=0.8,<1"]
build-backend = "uv_build"
`;
const SETTINGS = `from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    service: str = "back"


settings = Settings()
`;

/** The sample with 300 revisions as a member of a uv workspace: 50 more dependencies, and settings that another member has. */
export function workspace(testBed: TestBed): Promise<Backend> {
  return testBed.once('workspace', async (root) => {
    const { directory: original, ...rest } = await sampleWith300(testBed);
    const [directory, member] = [path.join(root, 'services', 'back'), path.join(root, 'packages', 'shared-settings')];
    cpSync(original, directory, { recursive: true, filter: (source) => path.basename(source) !== 'uv.lock' });
    mkdirSync(path.join(member, 'src', 'shared_settings'), { recursive: true });
    writeFileSync(path.join(member, 'pyproject.toml'), MEMBER);
    writeFileSync(path.join(member, 'src', 'shared_settings', '__init__.py'), SETTINGS);
    writeFileSync(path.join(root, 'pyproject.toml'), '[tool.uv.workspace]\nmembers = ["services/*", "packages/*"]\n');
    const env = path.join(directory, 'alembic', 'env.py');
    writeFileSync(
      env,
      `import fastapi  # noqa: F401\nfrom shared_settings import settings  # noqa: F401\n${readFileSync(env, 'utf8')}`,
    );
    const add = ['add', '--quiet', '--no-sync', 'shared-settings', ...DEPENDENCIES];
    await testBed.run({ command: 'uv', args: add, cwd: directory });
    return { directory, ...rest };
  });
}
