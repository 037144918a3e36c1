import { type Dtype, isRecord, PareError } from "@pare/runtime/format";
import type { TensorflowNode } from "./graph-model.js";
import { dtypeOf, numberOf, sizesOf, textOf } from "./protobuf-json.js";

/**
 * What a node says besides its inputs: `AttrValue` of attr_value.proto in protobuf's JSON, where numbers of 64 bits are
 * texts, and texts are base64 or lists of bytes. What is not there is undefined, or what is given for it.
 */
export class NodeAttributes {
  readonly #node: TensorflowNode;

  constructor(node: TensorflowNode) {
    this.#node = node;
  }

  number(name: string, otherwise: number): number {
    return this.#of(name, (value) => numberOf(value["i"] ?? value["f"])) ?? otherwise;
  }

  flag(name: string): boolean {
    return this.#of(name, ({ b }) => (typeof b === "boolean" ? b : undefined)) ?? false;
  }

  text(name: string): string | undefined {
    return this.#of(name, ({ s }) => textOf(s));
  }

  dtype(name: string): Dtype | undefined {
    return this.#of(name, ({ type }) => dtypeOf(type));
  }

  numbers(name: string): readonly number[] | undefined {
    return this.#list(name, ["i", "f"], numberOf);
  }

  texts(name: string): readonly string[] | undefined {
    return this.#list(name, ["s"], textOf);
  }

  /** Sizes, -1 for those that are free; undefined where not even their number is known. */
  shape(name: string): readonly number[] | undefined {
    const value = this.#node.attributes[name];
    return sizesOf(isRecord(value) ? value["shape"] : undefined, () => this.#fail(name));
  }

  #list<T>(
    name: string,
    kinds: readonly string[],
    read: (value: unknown) => T | undefined,
  ): readonly T[] | undefined {
    return this.#of(name, ({ list }) => {
      if (!isRecord(list)) return undefined;
      const found = kinds.map((kind) => list[kind]).find(Array.isArray) ?? [];
      return found.map((one: unknown) => read(one) ?? this.#fail(name));
    });
  }

  #of<T>(name: string, read: (value: Readonly<Record<string, unknown>>) => T | undefined) {
    const { attributes } = this.#node;
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (value === undefined) return undefined;
    return (isRecord(value) ? read(value) : undefined) ?? this.#fail(name);
  }

  #fail(attribute: string): never {
    const { name, op } = this.#node;
    throw new PareError(
      "MODEL_INVALID",
      `The attribute ${attribute} of ${op} ${JSON.stringify(name)} is of another kind.`,
      { where: name },
    );
  }
}
