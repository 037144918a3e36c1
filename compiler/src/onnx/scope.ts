import { PareError } from "@pare/runtime/format";
import { type ValueId } from "../ir/index.js";

/** The names that are known in a body, and around it those of the bodies that enclose it. */
export class Scope {
  readonly #outer: Scope | undefined;
  readonly #names = new Map<string, ValueId>();

  constructor(outer: Scope | undefined) {
    this.#outer = outer;
  }

  /** @throws PareError MODEL_NAME when this body defines the name already */
  define(name: string, id: ValueId, by: string): void {
    if (this.#names.has(name)) {
      throw definedTwice(name, by);
    }
    this.#names.set(name, id);
  }

  /** What this body itself calls so. */
  own(name: string): ValueId | undefined {
    return this.#names.get(name);
  }

  /** @throws PareError MODEL_NAME when nothing is called so */
  find(name: string, reader: string): ValueId {
    const id = this.#seek(name);
    if (id !== undefined) return id;
    throw new PareError(
      "MODEL_NAME",
      `Nothing defines ${JSON.stringify(name)}, which is read by ${reader}.`,
      { where: reader },
    );
  }

  #seek(name: string): ValueId | undefined {
    const outer = this.#outer;
    return this.#names.get(name) ?? (outer === undefined ? undefined : outer.#seek(name));
  }

  values(): IterableIterator<ValueId> {
    return this.#names.values();
  }
}

export function definedTwice(name: string, by: string): PareError {
  const message = `The name ${JSON.stringify(name)} is defined twice, the second time by ${by}.`;
  return new PareError("MODEL_NAME", message, { where: name });
}
