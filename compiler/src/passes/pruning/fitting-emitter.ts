import { attribute, type Editor, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { placesOf } from "../../ops/families/window.js";
import type { Window } from "./fitting-window.js";

/** Slices to the end. */
const end = 2 ** 31 - 1;

/** Writes what a fitting graph is made of. Layers are seen as [groups, numbers of one group, places of all samples]. */
export class FittingEmitter {
  readonly #editor: Editor;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  add(
    op: string,
    inputs: readonly (ValueId | null)[],
    attributes: Parameters<Editor["add1"]>[2] = {},
  ): ValueId {
    return this.#editor.add1(op, inputs, attributes);
  }

  integers(values: readonly number[]): ValueId {
    return this.#editor.constant("integers", Tensor.int64(values));
  }

  reshaped(value: ValueId, dims: readonly number[]): ValueId {
    return this.add("Reshape", [value, this.integers(dims)]);
  }

  sum(value: ValueId): ValueId {
    return this.add("ReduceSum", [value, this.integers([2])], { keepdims: attribute.int(0) });
  }

  /** A value of another graph with the same inputs. @param nodes that lead to it, in order */
  copied(from: Graph, nodes: readonly ReturnType<Graph["node"]>[], value: ValueId): ValueId {
    const copies = new Map<ValueId, ValueId>();
    const read = (id: ValueId): ValueId => {
      const known = copies.get(id);
      if (known !== undefined) return known;
      const { isInput, constant, name } = from.value(id);
      const copy = isInput || constant === undefined ? id : this.#editor.constant(name, constant);
      copies.set(id, copy);
      return copy;
    };
    for (const node of nodes) {
      const copy = this.#editor.addNode(
        node.op,
        node.inputs.map((input) => (input === null ? null : read(input))),
        Object.fromEntries(node.attributes),
        {
          domain: node.domain,
          overload: node.overload,
          outputs: node.outputs.map((id) => (id === null ? null : `${from.value(id).name}.whole`)),
        },
      );
      for (const [index, id] of node.outputs.entries()) {
        const made = copy.outputs[index];
        if (id !== null && made !== null && made !== undefined) copies.set(id, made);
      }
    }
    return read(value);
  }

  /** Of numbers on the last axis. */
  rows(value: ValueId, numbers: number): ValueId {
    const flat = this.reshaped(value, [-1, numbers]);
    const turned = this.add("Transpose", [flat], { perm: attribute.ints([1, 0]) });
    return this.reshaped(turned, [1, numbers, -1]);
  }

  /** Of [N, channels, …]. @param numbers channels of a group */
  places(value: ValueId, group: number, numbers: number): ValueId {
    const flat = this.reshaped(value, [0, 0, -1]);
    const turned = this.add("Transpose", [flat], { perm: attribute.ints([1, 0, 2]) });
    return this.reshaped(turned, [group, numbers, -1]);
  }

  /** Of what a convolution gives, the places that are looked at. */
  thinned(value: ValueId, { kernel, every }: Window): ValueId {
    if (every === 1) return value;
    return this.#slice(
      value,
      kernel.map(() => ({ from: 0, to: end, step: every })),
    );
  }

  /**
   * What a convolution multiplies its weights with: every channel under every place of the kernel.
   * @param numbers that an output of a group reads
   */
  taps(
    value: ValueId,
    { kernel, pads, dilations, strides, every }: Window,
    group: number,
    numbers: number,
  ): ValueId {
    const before = pads.slice(0, kernel.length);
    const after = pads.slice(kernel.length);
    const padded = pads.some((pad) => pad > 0)
      ? this.add("Pad", [value, this.integers([0, 0, ...before, 0, 0, ...after])])
      : value;
    const under = placesOf(kernel).map((place) => {
      const parts = place.map((at, axis) => {
        const dilation = dilations[axis] ?? 1;
        const behind = ((kernel[axis] ?? 1) - 1 - at) * dilation;
        return {
          from: at * dilation,
          to: behind === 0 ? end : -behind,
          step: (strides[axis] ?? 1) * every,
        };
      });
      return this.reshaped(this.#slice(padded, parts), [0, 0, 1, -1]);
    });
    const [only, ...others] = under;
    const joined =
      only !== undefined && others.length === 0
        ? only
        : this.add("Concat", under, { axis: attribute.int(2) });
    const turned = this.add("Transpose", [joined], { perm: attribute.ints([1, 2, 0, 3]) });
    return this.reshaped(turned, [group, numbers, -1]);
  }

  #slice(
    value: ValueId,
    parts: readonly { readonly from: number; readonly to: number; readonly step: number }[],
  ): ValueId {
    return this.add("Slice", [
      value,
      this.integers(parts.map(({ from }) => from)),
      this.integers(parts.map(({ to }) => to)),
      this.integers(parts.map((_, axis) => axis + 2)),
      this.integers(parts.map(({ step }) => step)),
    ]);
  }
}
