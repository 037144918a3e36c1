import { type Dtype, isRecord, PareError } from "@pare/runtime/format";

/** The types that TensorFlow.js computes in, by their names in Keras. */
const dtypes: Readonly<Record<string, Dtype>> = {
  float16: "float32",
  bfloat16: "float32",
  float32: "float32",
  float64: "float32",
  int8: "int32",
  int16: "int32",
  int32: "int32",
  int64: "int32",
  uint8: "int32",
  bool: "bool",
  string: "string",
};

/**
 * The configuration of a layer as Keras writes it: keys and most words in snake_case, which TensorFlow.js also has in
 * camelCase. What is not there, or null, is undefined or what is given for it.
 */
export class LayerConfig {
  readonly name: string;
  readonly kind: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(name: string, kind: string, fields: Readonly<Record<string, unknown>>) {
    this.name = name;
    this.kind = kind;
    this.#fields = fields;
  }

  number(key: string): number | undefined;
  number(key: string, otherwise: number): number;
  number(key: string, otherwise?: number): number | undefined {
    return this.#of(key, (value) => (typeof value === "number" ? value : undefined)) ?? otherwise;
  }

  /** A whole number from 1 on. */
  count(key: string): number {
    const found = this.number(key) ?? this.#fail(key);
    return isCount(found) ? found : this.#fail(key);
  }

  flag(key: string, otherwise: boolean): boolean {
    return this.#of(key, (value) => (typeof value === "boolean" ? value : undefined)) ?? otherwise;
  }

  /** A word in snake_case. */
  word(key: string): string | undefined {
    return this.#of(key, (value) => (typeof value === "string" ? snakeCase(value) : undefined));
  }

  /** Numbers from 1 on, one for each axis; a single one stands for all. */
  counts(key: string, axes: number): readonly number[] | undefined {
    return this.#of(key, (value) => {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      const all = list.length === 1 ? Array.from({ length: axes }, () => list[0]) : list;
      const known = all.filter(isCount);
      return all.length === axes && known.length === axes ? known : undefined;
    });
  }

  /** Whole numbers, also where only one is given. */
  integers(key: string): readonly number[] | undefined {
    return this.#of(key, (value) => {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      const known = list.filter(isInteger);
      return known.length === list.length ? known : undefined;
    });
  }

  /** Sizes, -1 for those that are free. */
  shape(key: string): readonly number[] | undefined {
    return this.#of(key, (value) => {
      if (!Array.isArray(value)) return undefined;
      const sizes = value.map((size: unknown) => (size === null ? -1 : size));
      const known = sizes.filter((size) => size === -1 || size === 0 || isCount(size));
      return known.length === sizes.length ? known.map(Number) : undefined;
    });
  }

  /** Before and after each axis: of each, one for both sides of each, or one for all. */
  sides(key: string, axes: number): readonly (readonly [number, number])[] | undefined {
    return this.#of(key, (value) => {
      const list: readonly unknown[] = Array.isArray(value)
        ? value
        : Array.from({ length: axes }, () => value);
      const pairs = list.flatMap((one): [number, number][] => {
        const [before, after]: readonly unknown[] = Array.isArray(one) ? one : [one, one];
        return isSide(before) && isSide(after) ? [[before, after]] : [];
      });
      return list.length === axes && pairs.length === axes ? pairs : undefined;
    });
  }

  /** Of mixed precision the file has an object here: floats. */
  dtype(): Dtype | undefined {
    const name = this.#value("dtype");
    if (typeof name !== "string") return undefined;
    return Object.hasOwn(dtypes, name) ? dtypes[name] : this.#fail("dtype");
  }

  /** The word for an activation, also where it is written as an object of its own. */
  activation(key: string, otherwise: string): string {
    if (this.isNull(key)) return "linear";
    const found = this.#of(key, (value) => {
      const named = isRecord(value) ? (value["class_name"] ?? value["className"]) : value;
      return typeof named === "string" ? snakeCase(named) : undefined;
    });
    return found ?? otherwise;
  }

  record(key: string): Readonly<Record<string, unknown>> | undefined {
    return this.#of(key, (value) => (isRecord(value) ? value : undefined));
  }

  list(key: string): readonly unknown[] | undefined {
    return this.#of(key, (value) => (Array.isArray(value) ? value : undefined));
  }

  has(key: string): boolean {
    return this.#value(key) !== undefined;
  }

  /** Whether it is there, and says that there is none. */
  isNull(key: string): boolean {
    return this.#raw(key) === null;
  }

  #value(key: string): unknown {
    return this.#raw(key) ?? undefined;
  }

  #raw(key: string): unknown {
    const camel = key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    const found = [key, camel].find((one) => Object.hasOwn(this.#fields, one));
    return found === undefined ? undefined : this.#fields[found];
  }

  #of<T>(key: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.#value(key);
    return value === undefined ? undefined : (read(value) ?? this.#fail(key));
  }

  #fail(key: string): never {
    throw new PareError(
      "MODEL_INVALID",
      `${key} of ${this.kind} ${JSON.stringify(this.name)} is missing or of another kind.`,
      { where: this.name },
    );
  }
}

function isCount(value: unknown): value is number {
  return isSide(value) && value > 0;
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Far above any size. */
function isSide(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

function snakeCase(word: string): string {
  return word.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}
