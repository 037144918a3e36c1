import { PareError } from "@pare/runtime/format";

/** Reads a pass's options field by field; `done` refuses what was not asked for. */
export class OptionReader {
  readonly #pass: string;
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #known = new Set<string>();

  /** @throws PareError RECIPE when the options are no object */
  constructor(pass: string, options: unknown) {
    this.#pass = pass;
    if (
      options !== undefined &&
      (typeof options !== "object" || options === null || Array.isArray(options))
    ) {
      throw new PareError("RECIPE", `The options of ${pass} must be an object.`, { where: pass });
    }
    this.#fields = new Map(Object.entries(options ?? {}));
  }

  oneOf<const Choice extends string | number>(
    name: string,
    choices: readonly Choice[],
    fallback: Choice,
  ): Choice {
    const value = this.#take(name);
    if (value === undefined) return fallback;
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined)
      this.#fail(
        name,
        `is ${JSON.stringify(value)}`,
        `It may be ${choices.map((one) => JSON.stringify(one)).join(", ")}.`,
      );
    return choice;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#take(name);
    if (value === undefined) return fallback;
    if (typeof value !== "boolean")
      this.#fail(name, `is ${JSON.stringify(value)}`, "It may be true or false.");
    return value;
  }

  /** A whole number from `least` to `most`. */
  integer(name: string, fallback: number, least = 0, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(name);
    if (value === undefined) return fallback;
    const whole = typeof value === "number" && Number.isSafeInteger(value);
    if (!whole || value < least || value > most)
      this.#fail(
        name,
        `is ${JSON.stringify(value)}`,
        most === Number.MAX_SAFE_INTEGER
          ? `It must be a whole number, at least ${least}.`
          : `It must be a whole number from ${least} to ${most}.`,
      );
    return value;
  }

  texts(name: string, fallback: readonly string[]): readonly string[] {
    const value = this.#take(name);
    if (value === undefined) return fallback;
    if (!isTexts(value))
      this.#fail(name, "is no list of names", 'For example: ["Conv", "MatMul"].');
    return value;
  }

  someOf<const Choice extends string>(
    name: string,
    choices: readonly Choice[],
    fallback: readonly Choice[],
  ): readonly Choice[] {
    return this.texts(name, fallback).map((text) => {
      const choice = choices.find((candidate) => candidate === text);
      if (choice === undefined)
        this.#fail(
          name,
          `holds ${JSON.stringify(text)}`,
          `It may hold ${choices.map((one) => JSON.stringify(one)).join(", ")}.`,
        );
      return choice;
    });
  }

  /** An object whose every value `parse` reads; empty where absent. `what` says what a value must be. */
  record<T>(
    name: string,
    parse: (value: unknown) => T | undefined,
    what: string,
  ): Readonly<Record<string, T>> {
    const value = this.#take(name);
    if (value === undefined) return {};
    if (typeof value !== "object" || value === null || Array.isArray(value))
      this.#fail(name, "must be an object", `Its values are ${what}.`);
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const parsed = parse(item);
        if (parsed === undefined)
          this.#fail(`${name}.${key}`, `must be ${what}`, `It is ${JSON.stringify(item)}.`);
        return [key, parsed];
      }),
    );
  }

  /** @throws PareError RECIPE for a field that was never asked for */
  done(): void {
    for (const name of this.#fields.keys()) {
      if (!this.#known.has(name))
        this.#fail(
          name,
          "is not an option",
          this.#known.size === 0
            ? "It takes no options."
            : `The options are ${[...this.#known].join(", ")}.`,
        );
    }
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.#fields.get(name);
  }

  #fail(name: string, what: string, hint: string): never {
    throw new PareError("RECIPE", `${this.#pass}.${name} ${what}.`, {
      where: `${this.#pass}.${name}`,
      hint,
    });
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** What a pass that takes none is given. */
export type NoOptions = Readonly<Record<string, never>>;

/** @throws PareError RECIPE for any option at all */
export function noOptions(pass: string, options: unknown): NoOptions {
  new OptionReader(pass, options).done();
  return {};
}
