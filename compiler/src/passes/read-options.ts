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

  /** A whole number of at least `least`. */
  integer(name: string, fallback: number, least = 0): number {
    const value = this.#take(name);
    if (value === undefined) return fallback;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least)
      this.#fail(
        name,
        `is ${JSON.stringify(value)}`,
        `It must be a whole number, at least ${least}.`,
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

  /** @throws PareError RECIPE for a field that was never asked for */
  done(): void {
    for (const name of this.#fields.keys()) {
      if (!this.#known.has(name))
        this.#fail(name, "is not an option", `The options are ${[...this.#known].join(", ")}.`);
    }
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.#fields.get(name);
  }

  #fail(name: string, what: string, hint: string): never {
    throw new PareError("RECIPE", `The option ${name} of ${this.#pass} ${what}.`, {
      where: `${this.#pass}.${name}`,
      hint,
    });
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
