import type { Json, JsonValue } from "#sandbox/kinds/definition";
import { at, isObject, labelsOf } from "./json.ts";
import { badRequest } from "./status.ts";

/** A compiled label or field selector. */
export type Matcher = (object: Json) => boolean;

const EVERYTHING: Matcher = () => true;

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

const KEY = /^([a-z0-9A-Z]([-a-z0-9A-Z_.]{0,251}[a-z0-9A-Z])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Compiles a label selector in its string form: `a=b,a==b,a!=b,a in (x,y),a notin (x),a,!a,a>1,a<1`.
 * Throws 400 naming the part that cannot be read.
 */
export function parseLabelSelector(text: string): Matcher {
  const parts = splitOutsideParentheses(text);
  if (parts.length === 0) return EVERYTHING;
  const requirements = parts.map((part) => parseRequirement(part, text));
  return (object) => {
    const labels = labelsOf(object);
    return requirements.every((requirement) => requirement(labels));
  };
}

function parseRequirement(part: string, whole: string): Requirement {
  const refuse = (why: string) => badRequest(`unable to parse requirement: ${why} in label selector "${whole}"`);
  const readKey = (raw: string) => {
    const key = raw.trim();
    if (!KEY.test(key)) throw refuse(`"${key}" is not a label key`);
    return key;
  };
  const readValue = (raw: string) => {
    const value = raw.trim();
    if (!VALUE.test(value)) throw refuse(`"${value}" is not a label value`);
    return value;
  };

  const set = /^\s*([^\s=!<>(),]+)\s+(in|notin)\s*\(([^()]*)\)\s*$/.exec(part);
  if (set !== null) {
    const key = readKey(set[1] ?? "");
    const values = new Set((set[3] ?? "").split(",").map(readValue));
    if (set[2] === "in") return (labels) => Object.hasOwn(labels, key) && values.has(labels[key] ?? "");
    return (labels) => !Object.hasOwn(labels, key) || !values.has(labels[key] ?? "");
  }
  const compared = /^\s*([^\s=!<>(),]+)\s*(==|=|!=|>|<)\s*([^=!<>(),]*)$/.exec(part);
  if (compared !== null) {
    const key = readKey(compared[1] ?? "");
    const operator = compared[2];
    const value = readValue(compared[3] ?? "");
    if (operator === "!=") return (labels) => labels[key] !== value;
    if (operator === "=" || operator === "==") return (labels) => labels[key] === value;
    if (!/^-?\d+$/.test(value)) throw refuse(`"${value}" must be an integer for ${operator}`);
    const bound = BigInt(value);
    return (labels) => {
      const own = labels[key];
      if (own === undefined || !/^-?\d+$/.test(own)) return false;
      return operator === ">" ? BigInt(own) > bound : BigInt(own) < bound;
    };
  }
  const exists = /^\s*(!?)\s*([^\s=!<>(),]+)\s*$/.exec(part);
  if (exists !== null) {
    const key = readKey(exists[2] ?? "");
    return exists[1] === "!" ? (labels) => !Object.hasOwn(labels, key) : (labels) => Object.hasOwn(labels, key);
  }
  throw refuse(`found "${part.trim()}"`);
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "(") depth++;
    else if (char === ")") depth--;
    else if (char === "," && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (text.trim() !== "") parts.push(text.slice(start));
  return parts;
}

/**
 * Compiles a field selector: `path=value`, `path==value`, `path!=value`, joined by commas, a backslash before
 * `,`, `=` and `\` taking them literally. Throws 400 when it cannot be read or names a path that is not `supported`.
 */
export function parseFieldSelector(
  text: string,
  supported: ReadonlySet<string>,
  unsupported: (path: string) => string = (path) => `field label not supported: ${path}`,
): Matcher {
  const terms = splitEscaped(text).filter((term) => term !== "");
  if (terms.length === 0) return EVERYTHING;
  const tests = terms.map((term): Matcher => {
    const found = /^((?:[^=!\\]|\\.)+?)(==|!=|=)((?:[^\\]|\\.)*)$/.exec(term);
    if (found === null) {
      throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    const path = (found[1] ?? "").trim();
    const value = (found[3] ?? "").replace(/\\(.)/g, "$1");
    if (!supported.has(path)) throw badRequest(unsupported(path));
    const steps = STORED_AS.get(path) ?? path.split(".");
    const absent = ABSENT.get(path) ?? "";
    const wanted = found[2] !== "!=";
    return (object) => ((fieldText(at(object, ...steps)) || absent) === value) === wanted;
  });
  return (object) => tests.every((test) => test(object));
}

/** Labels that are no path of the object. */
const STORED_AS: ReadonlyMap<string, readonly string[]> = new Map([["source", ["source", "component"]]]);

/** What a selector sees where the object says nothing. */
const ABSENT: ReadonlyMap<string, string> = new Map([
  ["spec.unschedulable", "false"],
  ["spec.hostNetwork", "false"],
  ["status.replicas", "0"],
]);

/** The value that `metadata.name=` asks for, so that a list of one need not look at all. */
export function exactName(text: string): string | undefined {
  return /(?:^|,)metadata\.name==?([^,=\\]+)(?:,|$)/.exec(text)?.[1];
}

function fieldText(value: JsonValue): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) || isObject(value) ? JSON.stringify(value) : `${value}`;
}

function splitEscaped(text: string): string[] {
  const parts: string[] = [];
  let current = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? "";
    if (char === "\\") {
      current += char + (text[i + 1] ?? "");
      i++;
    } else if (char === ",") {
      parts.push(current);
      current = "";
    } else current += char;
  }
  parts.push(current);
  return parts;
}
