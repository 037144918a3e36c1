import { isRecord } from "@pare/runtime/format";
import { type Kind, refuse } from "./kinds.js";

/** One field of an object: what it may be, what it is where it is not given, and what it means. */
export interface Option<T> {
  readonly kind: Kind<T>;
  /** Undefined: it has no value of its own, and must be given where `required` says so. */
  readonly fallback: T | undefined;
  readonly required: boolean;
  readonly says: string;
}

export type Described = Readonly<Record<string, Option<unknown>>>;

/** What is read of an object that is so described: every field has its value. */
export type OptionsOf<D extends Described> = keyof D extends never
  ? Readonly<Record<string, never>>
  : { readonly [Name in keyof D]: D[Name] extends Option<infer T> ? T : never };

/** What may be written: every field may be left out. */
export type Written<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Name in keyof T]?: Written<T[Name]> }
    : T;

/** @param says for tables and editors: one sentence */
export function option<T>(kind: Kind<T>, fallback: NoInfer<T>, says: string): Option<T> {
  return { kind, fallback, required: false, says };
}

/** A field that may be left out, and is undefined then. */
export function optional<T>(kind: Kind<T>, says: string): Option<T | undefined> {
  return { kind, fallback: undefined, required: false, says };
}

export function required<T>(kind: Kind<T>, says: string): Option<T> {
  return { kind, fallback: undefined, required: true, says };
}

/** An object with fixed fields, as a kind; its description is kept for tables. */
export interface Fields<T> extends Kind<T> {
  readonly described: Described;
}

/** A former name of a field, or of several. */
export interface Former {
  /** The fields that say now what it said; it does not go with any of them. */
  readonly now: readonly string[];
  /** Reads what it held as those fields. */
  readonly kind: Kind<Readonly<Record<string, unknown>>>;
}

/** What of an object is not its fields. */
export interface FieldsNotes {
  readonly former?: Readonly<Record<string, Former>>;
  /** What a field is called in messages. */
  readonly noun?: string;
}

/** An object with fixed fields; whatever else it holds is refused. */
export function fields<const D extends Described>(
  described: D,
  { former = {}, noun = "option" }: FieldsNotes = {},
): Fields<OptionsOf<D>> {
  const names = Object.keys(described);
  const said = names.length === 0 ? "an empty object" : `an object with ${names.join(", ")}`;
  return {
    described,
    said,
    schema: schemaOf(described, former),
    read(value, at) {
      if (!isRecord(value)) refuse(at, "is no object", `It must be ${said}.`);
      for (const name of Object.keys(value)) {
        if (Object.hasOwn(described, name) || Object.hasOwn(former, name)) continue;
        const hint =
          names.length === 0 ? `It takes no ${noun}s.` : `The ${noun}s are ${names.join(", ")}.`;
        refuse(`${at}.${name}`, `is not ${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`, hint);
      }
      const given = renamed(value, former, at);
      const read = Object.entries(described).map(([name, { kind, fallback, required: must }]) => {
        const one = given[name];
        const absent = one === undefined && !must;
        return [name, absent ? fallback : kind.read(one, `${at}.${name}`)] as const;
      });
      return Object.fromEntries(read) as OptionsOf<D>;
    },
  };
}

function renamed(
  value: Readonly<Record<string, unknown>>,
  former: NonNullable<FieldsNotes["former"]>,
  at: string,
): Readonly<Record<string, unknown>> {
  const given = new Map(Object.entries(value));
  for (const [name, { now, kind }] of Object.entries(former)) {
    if (!given.has(name)) continue;
    const twice = now.find((field) => given.has(field));
    if (twice !== undefined)
      refuse(
        `${at}.${name}`,
        `says what ${twice} says too`,
        `Leave it out: it is now ${now.join(" and ")}.`,
      );
    const held = kind.read(given.get(name), `${at}.${name}`);
    for (const [field, content] of Object.entries(held)) given.set(field, content);
    given.delete(name);
  }
  return Object.fromEntries(given);
}

function schemaOf(
  described: Described,
  former: NonNullable<FieldsNotes["former"]>,
): Kind<unknown>["schema"] {
  const must = Object.keys(described).filter((name) => described[name]?.required);
  const properties = Object.entries(described).map(([name, { kind, fallback, says }]) => {
    const standing = fallback === undefined ? {} : { default: fallback };
    return [name, { ...kind.schema, description: says, ...standing }] as const;
  });
  const before = Object.entries(former).map(
    ([name, { kind }]) => [name, { ...kind.schema, deprecated: true }] as const,
  );
  const twice = Object.entries(former).flatMap(([name, { now }]) =>
    now.map((field) => ({ required: [name, field] })),
  );
  return {
    type: "object",
    properties: Object.fromEntries([...properties, ...before]),
    ...(must.length > 0 && { required: must }),
    ...(twice.length > 0 && { not: { anyOf: twice } }),
    additionalProperties: false,
  };
}
