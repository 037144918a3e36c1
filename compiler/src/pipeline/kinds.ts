import { findFault, isRecord, type JsonSchema, PareError } from "@pare/runtime/format";

/** What a value in a recipe may be: how it is read, and how a JSON Schema says the same. */
export interface Kind<T> {
  readonly schema: JsonSchema;
  /** To be read after "It must be": `true or false`, `a whole number from 7 to 21`. */
  readonly said: string;
  /**
   * @param at where the value stands: `recipe.steps[2].with.ranges`
   * @throws PareError RECIPE with that place
   */
  read(value: unknown, at: string): T;
}

/** What a kind reads. */
export type Read<K> = K extends Kind<infer T> ? T : never;

/** @throws PareError RECIPE: always */
export function refuse(at: string, what: string, hint: string): never {
  throw new PareError("RECIPE", `${at} ${what}.`, { where: at, hint });
}

function refuseValue(value: unknown, at: string, said: string): never {
  refuse(at, `is ${shown(value)}`, `It must be ${said}.`);
}

const longestShown = 60;

/** A value for a message; of a stranger's file, so that it may be as large and as deep as it likes. */
function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

function kindOf<T>(
  schema: JsonSchema,
  said: string,
  accepts: (value: unknown) => value is T,
): Kind<T> {
  return {
    schema,
    said,
    read: (value, at) => (accepts(value) ? value : refuseValue(value, at, said)),
  };
}

export const boolean: Kind<boolean> = kindOf(
  { type: "boolean" },
  "true or false",
  (value) => typeof value === "boolean",
);

export const text: Kind<string> = kindOf(
  { type: "string" },
  "a text",
  (value) => typeof value === "string",
);

/** A text that can be part of a file's name, or of a variant's. */
export const plainName: Kind<string> = kindOf(
  { type: "string", pattern: "^[\\w.-]+$" },
  "a name of letters, digits, dots, dashes and underscores",
  (value): value is string => typeof value === "string" && /^[\w.-]+$/.test(value),
);

/** Any finite number. */
export const number: Kind<number> = kindOf(
  { type: "number" },
  "a number",
  (value): value is number => Number.isFinite(value),
);

/** A number from `least` to `most`. */
export function numberFrom(least: number, most?: number): Kind<number> {
  return kindOf(
    { type: "number", minimum: least, ...(most !== undefined && { maximum: most }) },
    most === undefined ? `a number (${least} or more)` : `a number from ${least} to ${most}`,
    (value): value is number =>
      Number.isFinite(value) && Number(value) >= least && Number(value) <= (most ?? Infinity),
  );
}

/** A whole number from `least` to `most`. */
export function integer(least = 0, most?: number): Kind<number> {
  return kindOf(
    { type: "integer", minimum: least, maximum: most ?? Number.MAX_SAFE_INTEGER },
    most === undefined
      ? `a whole number (${least} or more)`
      : `a whole number from ${least} to ${most}`,
    (value): value is number =>
      Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= (most ?? Infinity),
  );
}

/** How much of something is left, or taken; a hundredth at least. */
export const share: Kind<number> = kindOf(
  { type: "number", minimum: 0.01, maximum: 1 },
  "a share from 0.01 to 1",
  (value): value is number =>
    Number(value) >= 0.01 && Number(value) <= 1 && typeof value === "number",
);

export function oneOf<const Choice extends string | number>(
  choices: readonly Choice[],
): Kind<Choice> {
  const isText = choices.every((choice) => typeof choice === "string");
  const isNumber = choices.every((choice) => typeof choice === "number");
  return kindOf(
    { ...(isText && { type: "string" }), ...(isNumber && { type: "number" }), enum: choices },
    choiceText(choices.map((choice) => JSON.stringify(choice))),
    (value): value is Choice => choices.some((choice) => choice === value),
  );
}

function choiceText(choices: readonly string[]): string {
  return choices.length > 3 ? `one of ${choices.join(", ")}` : choices.join(" or ");
}

/** A list of at least `least` items. */
export function listOf<T>(item: Kind<T>, least = 0): Kind<readonly T[]> {
  const said = `a list, each item ${item.said}`;
  return {
    schema: { type: "array", items: item.schema, ...(least > 0 && { minItems: least }) },
    said,
    read(value, at) {
      if (!Array.isArray(value)) refuseValue(value, at, said);
      if (value.length < least)
        refuse(at, "is an empty list", `It must have an item, ${item.said}.`);
      return value.map((one: unknown, index) => item.read(one, `${at}[${index}]`));
    },
  };
}

/** An object with any names, whose every value is of one kind. */
export function recordOf<T>(item: Kind<T>): Kind<Readonly<Record<string, T>>> {
  const said = `an object, each value ${item.said}`;
  return {
    schema: { type: "object", additionalProperties: item.schema },
    said,
    read(value, at) {
      if (!isRecord(value)) refuseValue(value, at, said);
      return Object.fromEntries(
        Object.entries(value).map(([key, one]) => [key, item.read(one, `${at}.${key}`)]),
      );
    },
  };
}

/** One of several kinds, told apart by their JSON types: the first whose type fits reads the value. */
export function either<Kinds extends readonly Kind<unknown>[]>(
  ...kinds: Kinds
): Kind<Read<Kinds[number]>> {
  const said = kinds.map((kind) => kind.said).join(" or ");
  return {
    schema: { anyOf: kinds.map(({ schema }) => schema) },
    said,
    read(value, at) {
      const fitting = kinds.find(({ schema }) => {
        const type = schema.type === undefined ? {} : { type: schema.type };
        return findFault(value, type) === null;
      });
      return (fitting ?? refuseValue(value, at, said)).read(value, at) as Read<Kinds[number]>;
    },
  };
}

/** What was written before a change of names or forms: it still reads, and editors mark it as out of date. */
export function formerly<T, Now>(kind: Kind<T>, becomes: (value: T) => Now): Kind<Now> {
  return {
    schema: { ...kind.schema, deprecated: true },
    said: kind.said,
    read: (value, at) => becomes(kind.read(value, at)),
  };
}
