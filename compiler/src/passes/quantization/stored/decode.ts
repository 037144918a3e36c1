import { elementCount } from "@pare/runtime/format";
import {
  attribute,
  type Attributes,
  type Body,
  type Editor,
  Tensor,
  type ValueId,
} from "../../../ir/index.js";
import { blockedDims, isRagged, type StoredForm, type StoredInitializers } from "./initializers.js";

const toFloat: Attributes = { to: attribute.int(1) };
const toInt8: Attributes = { to: attribute.int(3) };

/**
 * Writes the operators that make floats of stored integers: (q − zero point) · scale. All of them are folded when an
 * engine loads the model, where what they read is constant. Fewer than 8 bits are unpacked by shifting each byte to
 * every position and masking, which needs no 4-bit type: onnxruntime 1.22 knows int4 and cannot cast it.
 */
export class Decoder {
  readonly #editor: Editor;
  readonly #constants = new Map<string, ValueId>();

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  /**
   * @param stored its initializers, or what was gathered from them
   * @param lead how many axes lie before those of `form.dims`: those of the indices, where rows were gathered
   * @param dims of the result, without the leading ones
   */
  decode(
    form: StoredForm,
    stored: StoredInitializers,
    lead: number,
    dims: readonly number[],
    { body, name }: { readonly body: Body; readonly name: string },
  ): ValueId {
    const blocked = blockedDims(form.dims, form.blocks);
    const unpacked = form.bits < 8 ? this.#unpack(body, form, stored.data, lead) : stored.data;
    const integers = isRagged(form.blocks)
      ? this.#reshape(body, this.#fill(body, form, unpacked, lead), lead, blocked)
      : form.bits < 8
        ? this.#reshape(body, unpacked, lead, blocked)
        : unpacked;
    const centred = this.#centre(body, form, stored, this.#cast(body, integers));
    const scale = form.halves ? this.#cast(body, stored.scale) : stored.scale;
    if (form.blocks === null) return this.#add(body, "Mul", [centred, scale], {}, name);
    const floats = this.#add(body, "Mul", [centred, scale]);
    if (!isRagged(form.blocks)) return this.#reshape(body, floats, lead, dims, name);
    const { axis, count, size, length } = form.blocks;
    const full = form.dims.map((dim, at) => (at === axis ? count * size : dim));
    const filled = this.#reshape(body, floats, lead, full);
    if (dims.join() === form.dims.join())
      return this.#slice(body, filled, lead + axis, length, name);
    return this.#reshape(body, this.#slice(body, filled, lead + axis, length), lead, dims, name);
  }

  /** The integers alone, as int8 again: for weights that engines multiply as such. @param data of fewer than 8 bits */
  decodeIntegers(
    form: StoredForm,
    data: ValueId,
    { body, name }: { readonly body: Body; readonly name: string },
  ): ValueId {
    const unpacked = this.#reshape(body, this.#unpack(body, form, data, 0), 0, form.dims);
    const floats = this.#cast(body, unpacked);
    const centred = form.offset === 0 ? floats : this.#less(body, floats, form.offset);
    return this.#add(body, "Cast", [centred], toInt8, name);
  }

  /** [lead…, bytes, 1] to integers, those of one byte from its lowest bits on; ragged blocks need their own dims. */
  #unpack(body: Body, { bits, dims, blocks }: StoredForm, bytes: ValueId, lead: number): ValueId {
    const each = 8 / bits;
    const shifts = Uint8Array.from({ length: each }, (_, at) => at * bits);
    const shifted = this.#add(
      body,
      "BitShift",
      [bytes, this.#constant(body, "shifts", Tensor.of("uint8", [each], shifts))],
      { direction: attribute.string("RIGHT") },
    );
    const mask = Tensor.of("uint8", [], Uint8Array.of(2 ** bits - 1));
    let integers = this.#add(body, "BitwiseAnd", [shifted, this.#constant(body, "mask", mask)]);
    const count = elementCount(dims);
    const inBytes = Math.ceil(count / each) * each;
    if (inBytes !== count)
      integers = this.#slice(body, this.#reshape(body, integers, lead, [inBytes]), lead, count);
    return isRagged(blocks) ? this.#reshape(body, integers, lead, dims) : integers;
  }

  /** Makes the last block as long as the others. */
  #fill(body: Body, { blocks }: StoredForm, integers: ValueId, lead: number): ValueId {
    if (blocks === null) return integers;
    const { axis, count, size, length } = blocks;
    const ends = this.#constant(body, "pads", Tensor.int64([0, count * size - length]));
    const axes = this.#constant(body, "axis", Tensor.int64([lead + axis]));
    return this.#add(body, "Pad", [integers, ends, null, axes]);
  }

  #centre(body: Body, form: StoredForm, stored: StoredInitializers, floats: ValueId): ValueId {
    if (stored.zeroPoint !== null)
      return this.#add(body, "Sub", [floats, this.#cast(body, stored.zeroPoint)]);
    if (form.offset === 0) return floats;
    return this.#less(body, floats, form.offset);
  }

  #less(body: Body, floats: ValueId, offset: number): ValueId {
    const constant = this.#constant(body, "offset", Tensor.float32([], [offset]));
    return this.#add(body, "Sub", [floats, constant]);
  }

  #cast(body: Body, value: ValueId): ValueId {
    return this.#add(body, "Cast", [value], toFloat);
  }

  /** To Reshape 0 means "as it was", so that leading dims may be free. */
  #reshape(
    body: Body,
    value: ValueId,
    lead: number,
    dims: readonly number[],
    name?: string,
  ): ValueId {
    const shape = Tensor.int64([...Array.from({ length: lead }, () => 0), ...dims]);
    return this.#add(body, "Reshape", [value, this.#constant(body, "shape", shape)], {}, name);
  }

  /** The first elements of an axis. */
  #slice(body: Body, value: ValueId, axis: number, end: number, name?: string): ValueId {
    const bounds = [0, end, axis].map((at) => this.#constant(body, "at", Tensor.int64([at])));
    return this.#add(body, "Slice", [value, ...bounds], {}, name);
  }

  /** Small constants are shared among all that is decoded in a body. */
  #constant(body: Body, what: string, tensor: Tensor): ValueId {
    const key = `${body.id} ${tensor.dtype} [${tensor.dims.join()}] ${tensor.data?.join()}`;
    const known = this.#constants.get(key);
    const made = known ?? this.#editor.constant(`decode_${what}`, tensor, body);
    this.#constants.set(key, made);
    return made;
  }

  /** What has no name of its own gets a short one, for there is much of it. */
  #add(
    body: Body,
    op: string,
    inputs: readonly (ValueId | null)[],
    attributes: Attributes = {},
    name?: string,
  ): ValueId {
    const named = name === undefined ? {} : { outputs: [name] };
    return this.#editor.add1(op, inputs, attributes, { body, ...named });
  }
}
