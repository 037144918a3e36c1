import type { TypedArray } from "../format/tensor/dtype.js";
import {
  bytesOf,
  copyOf,
  dimsFit,
  isTypedArray,
  type Tensor,
  type Tensors,
} from "../format/tensor/tensor.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import type { Ort, OrtTensor } from "./ort.js";

/**
 * What an engine is handed that reads feeds and writes outputs while it runs: arrays of the caller's. Memory that threads
 * share onnxruntime refuses; in its place comes an array of the session's own.
 */
export class OrtArrays {
  readonly #Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  /** Inputs of the last run, filled again where they fit: to make an array costs more than to copy into it. */
  readonly #inputs = new Map<string, OrtTensor>();
  readonly #copies = new WeakSet<OrtTensor>();
  readonly #outputs = new Map<string, OrtTensor>();

  constructor({ Tensor }: Ort) {
    this.#Tensor = Tensor;
  }

  /** Nobody else's until it is given back. */
  #copied(name: string, { type, data, dims }: Tensor): OrtTensor {
    const old = this.#inputs.get(name);
    this.#inputs.delete(name);
    if (old && isTypedArray(data) && dimsFit(old.dims, dims)) {
      bytesOf(old.data as TypedArray).set(bytesOf(data));
      return old;
    }
    const made = new this.#Tensor(type, copyOf(data), [...dims]);
    this.#copies.add(made);
    return made;
  }

  /** Of an input: the caller's array, where that goes. */
  lent(name: string, tensor: Tensor): OrtTensor {
    const { type, data, dims } = tensor;
    return isShared(data) ? this.#copied(name, tensor) : new this.#Tensor(type, data, dims);
  }

  giveBack(feeds: Readonly<Record<string, OrtTensor>>): void {
    for (const [name, tensor] of Object.entries(feeds))
      if (this.#copies.has(tensor)) this.#inputs.set(name, tensor);
  }

  /** Where each output is to lie: null where the engine makes an array. */
  places(outputs: readonly ValueInfo[], into: Tensors): Record<string, OrtTensor | null> {
    return Object.fromEntries(
      outputs.map(({ name, type, dims }) => {
        const place = into[name];
        // An engine reports an undefined shape as it reports a scalar's: [].
        const fits = place?.type === type && dims.length > 0 && dimsFit(dims, place.dims);
        return [name, fits ? this.#place(name, place) : null];
      }),
    );
  }

  #place(name: string, { type, data, dims }: Tensor): OrtTensor {
    if (!isShared(data)) return new this.#Tensor(type, data, dims);
    const old = this.#outputs.get(name);
    if (old && dimsFit(old.dims, dims)) return old;
    const made = new this.#Tensor(type, copyOf(data), [...dims]);
    this.#outputs.set(name, made);
    return made;
  }
}

/** What the engine wrote, where the caller wants it. */
export function putInto(into: Tensor, { data }: OrtTensor): Tensor {
  if (isTypedArray(into.data) && isShared(into.data))
    bytesOf(into.data).set(bytesOf(data as TypedArray));
  return into;
}

function isShared(data: Tensor["data"]): boolean {
  return (
    typeof SharedArrayBuffer !== "undefined" &&
    isTypedArray(data) &&
    data.buffer instanceof SharedArrayBuffer
  );
}
