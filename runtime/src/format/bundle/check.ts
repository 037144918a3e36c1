import { isRecord } from "../json-schema.js";

/**
 * What is wrong with a value from a file, its path first; null where nothing is. For what every page downloads: files that
 * the tools alone read are described by JSON schemas.
 */
export type Check = (value: unknown, path: string) => string | null;

export function must(be: string, fits: (value: unknown) => boolean): Check {
  return (value, path) => (fits(value) ? null : `${path} must be ${be}`);
}

export function like(pattern: RegExp): Check {
  return must(String(pattern), (value) => typeof value === "string" && pattern.test(value));
}

export function oneOf(values: readonly unknown[]): Check {
  return must(`one of ${values.join(", ")}`, (value) => values.includes(value));
}

export function list(item: Check, least = 0): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < least) return `${path} must be a list`;
    for (const [index, each] of value.entries()) {
      const fault = item(each, `${path}[${index}]`);
      if (fault !== null) return fault;
    }
    return null;
  };
}

/** There may be other fields, so that newer files stay readable. */
export function object(
  fields: Readonly<Record<string, Check>>,
  optional: readonly string[] = [],
): Check {
  return (value, path) => {
    if (!isRecord(value)) return `${path} must be an object`;
    for (const [key, check] of Object.entries(fields)) {
      const at = `${path}.${key}`;
      if (Object.hasOwn(value, key)) {
        const fault = check(value[key], at);
        if (fault !== null) return fault;
      } else if (!optional.includes(key)) return `${at} is missing`;
    }
    return null;
  };
}

/** An object with any keys. */
export function record(item: Check): Check {
  const values = list(item);
  return (value, path) =>
    isRecord(value) ? values(Object.values(value), path) : `${path} must be an object`;
}
