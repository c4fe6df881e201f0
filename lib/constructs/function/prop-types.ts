import { Token } from 'aws-cdk-lib';
import { closest } from '../../text/closest';

/*
 * The types of props, for callers in JavaScript, which has no compiler. TypeScript and jsii find a wrong type earlier.
 */

/** Problems of a value; empty if it has the type. @param name of the prop, for a message */
export type PropType = (value: unknown, name: string) => string[];

/** The type of each prop of an interface. */
export type PropTypes<Props> = { readonly [Name in keyof Required<Props>]: PropType };

/** Throws an error that lists every prop of the wrong type. @param owner such as `AlembicMigration Backend/Migration` */
export function checkTypes<Props>(owner: string, props: Props, types: PropTypes<Props>): void {
  checkArgument(owner, '', props, structure(types));
}

/** Throws an error for an argument of the wrong type. @param owner such as `MigrationCode.fromProject` */
export function checkArgument(owner: string, name: string, value: unknown, type: PropType): void {
  const problems = type(value, name);
  if (problems.length) throw new TypeError(`${owner}: ${problems.join('; ')}`);
}

export const text = typeIs('a string', (value) => typeof value === 'string');
/** A text that means nothing if it is empty, such as one from a variable that is not set. */
export const nonEmpty = typeIs('a string that is not empty', (value) => typeof value === 'string' && value !== '');
export const number = typeIs('a number', (value) => typeof value === 'number');
export const flag = typeIs('true or false', (value) => typeof value === 'boolean');
export const duration = instance('a Duration, such as Duration.seconds(30)', 'toSeconds');
export const anyStructure = typeIs('an object', isObject);
export const textByName = byName(text);

/** An object whose keys are not known. */
export function byName(type: PropType): PropType {
  return (value, name) =>
    isObject(value) ? Object.entries(value).flatMap(([key, item]) => type(item, `${name}.${key}`)) : anyStructure(value, name);
}

/** Objects of a class. @param member that only they have: their class may come from another copy of its package */
export function instance(what: string, member: string): PropType {
  return typeIs(what, (value) => isObject(value) && member in value);
}

/** A whole number, or a token. */
export function whole(from: number, to: number): PropType {
  const fits = (value: unknown) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
  return typeIs(`a whole number from ${from} to ${to}`, (value) => Token.isUnresolved(value) || fits(value));
}

/** A value of an enum. */
export function oneOf(name: string, values: Readonly<Record<string, string>>): PropType {
  const members = Object.keys(values).map((key) => `${name}.${key}`);
  return typeIs(members.join(' or '), (value) => Object.values(values).includes(value as string));
}

export function list(what: string, item: PropType): PropType {
  return (value, name) =>
    Array.isArray(value)
      ? value.flatMap((each, index) => item(each, `${name}[${index}]`))
      : [`${name} is ${shown(value)}: pass ${what}`];
}

export const texts = list('a list of strings', nonEmpty);

export const constructs = list('constructs', instance('a construct, such as a lambda.Function', 'node'));
export const rdsCluster = instance('a cluster, such as an rds.DatabaseCluster', 'clusterIdentifier');
export const rdsInstance = instance('an instance, such as an rds.DatabaseInstance', 'instanceIdentifier');
export const securityGroups = list('a list of security groups', instance('a security group', 'securityGroupId'));

export function structure<Props>(types: PropTypes<Props>): PropType {
  return (value, name) => {
    if (!isObject(value)) return [`${name || 'the last argument'} is ${shown(value)}: pass an object with options`];
    const given = value as Readonly<Record<string, unknown>>;
    const at = (key: string) => (name ? `${name}.${key}` : key);
    const problems = Object.entries<PropType>(types).flatMap(([key, type]) => type(given[key], at(key)));
    return [
      ...misspelled(
        Object.keys(given).filter((key) => given[key] !== undefined),
        Object.keys(types),
      ).map(([key, meant]) => `${at(key)}: did you mean ${meant}?`),
      ...problems,
    ];
  };
}

/** Names that are unknown, each with the known one that it resembles. Others may come from props that several constructs share. */
function misspelled(given: readonly string[], known: readonly string[]): [string, string][] {
  return given.flatMap((key) => {
    const meant = known.includes(key)
      ? undefined
      : closest(
          key,
          known.filter((name) => !given.includes(name)),
        );
    return meant === undefined ? [] : [[key, meant]];
  });
}

export function optional(type: PropType): PropType {
  return (value, name) => (value === undefined ? [] : type(value, name));
}

export function typeIs(what: string, accepts: (value: unknown) => boolean): PropType {
  return (value, name) => (accepts(value) ? [] : [`${name} is ${shown(value)}: pass ${what}`]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : String(value);
}
