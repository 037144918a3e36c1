import { PareError } from "@pare/runtime/format";

/**
 * The options of a step, as a record of known fields.
 * @throws PareError RECIPE with the path of a field that is not known
 */
export function fieldsOf(
  pass: string,
  options: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object" || Array.isArray(options))
    throw refuse(pass, "must be an object", known);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw refuse(`${pass}.${name}`, "is not an option", known);
  }
  return { ...options };
}

/** What a pass that takes none is given. */
export type NoOptions = Readonly<Record<string, never>>;

export function noOptions(pass: string, options: unknown): NoOptions {
  fieldsOf(pass, options, []);
  return {};
}

export function refuse(path: string, what: string, known: readonly string[]): PareError {
  const hint = known.length === 0 ? "It takes no options." : `Its options are ${known.join(", ")}.`;
  return new PareError("RECIPE", `${path} ${what}.`, { where: path, hint });
}
