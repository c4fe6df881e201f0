import * as contract from '../../lib/contract';
import { containerExitCode } from '../../lib/contract/exit-codes';
import * as tenants from '../../lib/contract/tenants';

const { RUNNER_CODES } = contract;

const NAMES = {
  CONTRACT_VERSION: contract.CONTRACT_VERSION,
  SETTINGS_VARIABLE: contract.SETTINGS_VARIABLE,
  REQUEST_VARIABLE: contract.REQUEST_VARIABLE,
  MANIFEST_FILE: contract.MANIFEST_FILE,
  SUPPORTED_VERSIONS: contract.SUPPORTED_VERSIONS,
  DRIVERS: contract.DRIVERS,
  INSTALL_BACKEND: contract.INSTALL_BACKEND,
  BACKEND_DIRECTORY: contract.BACKEND_DIRECTORY,
  DEPENDENCIES_DIRECTORY: contract.DEPENDENCIES_DIRECTORY,
  COMMANDS: contract.COMMANDS,
  CHANGING_COMMANDS: contract.CHANGING_COMMANDS,
  RESTRICTED_COMMANDS: contract.RESTRICTED_COMMANDS,
  STATUSES: contract.STATUSES,
  ALLOWANCES: contract.ALLOWANCES,
  DRIFT_FOUND: contract.DRIFT_FOUND,
  SNAPSHOT_TAG: contract.SNAPSHOT_TAG,
  DATA_LOSS_RULES: contract.DATA_LOSS_RULES,
  RUNNER_CODES,
  CONTAINER_EXIT_CODES: Object.fromEntries(RUNNER_CODES.map((code) => [code, containerExitCode(code)])),
  TENANTS_PAGE: tenants.TENANTS_PAGE,
  REQUEST: contract.REQUEST,
  SETTINGS: contract.SETTINGS,
  TENANT_REQUEST: tenants.TENANT_REQUEST,
  TENANTS: tenants.TENANTS,
};

/** The names and rules of the contract that the runner needs, as Python. */
export function runnerRules(): string {
  const lines = Object.entries(NAMES).map(([name, value]) => `${name} = ${python(value)}`);
  return `"""Names and rules of the contract. Generated from lib/contract, which says what they mean, by \`npm run generate\`."""

# fmt: off
# ruff: noqa: E501

${lines.join('\n')}
`;
}

function python(value: unknown, indent = ''): string {
  const inner = `${indent}    `;
  const block = (open: string, lines: readonly string[], close: string) =>
    lines.length ? `${open}\n${lines.map((line) => `${inner}${line},\n`).join('')}${indent}${close}` : open + close;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value))
    return block(
      '(',
      value.map((item) => python(item, inner)),
      ')',
    );
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return block(
    '{',
    entries.map(([key, item]) => `${JSON.stringify(key)}: ${python(item, inner)}`),
    '}',
  );
}
