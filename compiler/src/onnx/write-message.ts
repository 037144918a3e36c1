import { PareError, throwIfAborted } from "@pare/runtime/format";
import protobuf from "protobufjs/minimal.js";
import {
  type Field,
  type Message,
  type MessageName,
  type Scalar,
  type Table,
  tableOf,
  type UnknownField,
} from "./schema.js";
import { Slice } from "./slice.js";
import { writeInt64 } from "./wire.js";

type Fields = Readonly<Record<string, unknown>>;
/** What protobuf allows a message. */
const sizeLimit = 2 ** 31 - 1;

/** A message as it is put together: what was encoded, and what is read into its place when the whole is there. */
class Parts {
  readonly #parts: (Uint8Array | Slice)[] = [];
  #length = 0;
  /** What comes next that is no slice. */
  writer = new protobuf.Writer();

  /** Bytes, which their length goes before. */
  bytes(value: unknown): void {
    if (value instanceof Slice) {
      this.writer.uint32(value.length);
      if (value.length > 0) this.#add(value);
    } else if (value instanceof Uint8Array) this.writer.bytes(value);
    else throw new TypeError("bytes were expected");
  }

  /** A message in this one, which its length goes before. */
  message(other: Parts): void {
    other.#end();
    this.writer.uint32(other.#length);
    for (const part of other.#parts) this.#add(part);
  }

  /** All of it; a slice is held no longer than it takes to put it into its place. */
  async whole(signal: AbortSignal | undefined): Promise<Uint8Array> {
    this.#end();
    checkSize(this.#length);
    const [only, ...others] = this.#parts;
    if (only instanceof Uint8Array && others.length === 0) return only;
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      if (part instanceof Slice) throwIfAborted(signal);
      whole.set(part instanceof Slice ? await part.read() : part, at);
      at += part.length;
    }
    return whole;
  }

  #add(part: Uint8Array | Slice): void {
    this.#end();
    this.#parts.push(part);
    this.#length += part.length;
  }

  #end(): void {
    if (this.writer.len === 0) return;
    const encoded = this.writer.finish();
    this.writer = new protobuf.Writer();
    this.#parts.push(encoded);
    this.#length += encoded.length;
  }
}

/** Writes a message: known fields in the order of their numbers, then what was not understood, as it was. */
export async function writeMessage<Name extends MessageName>(
  name: Name,
  message: Message<Name>,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const apart = new Set<object>();
  checkSize(findSlices(message, apart));
  const parts = new Parts();
  writeFields(parts, tableOf(name), message, apart);
  return parts.whole(signal);
}

/** @throws PareError MODEL_LIMIT */
function checkSize(total: number): void {
  if (total < sizeLimit) return;
  throw new PareError(
    "MODEL_LIMIT",
    `The file would take ${total} bytes; an ONNX file holds less than 2 GB.`,
    { hint: "Write the tensors to a file beside it, as external data." },
  );
}

/** The messages that hold slices, themselves or in others, and how many bytes these are. */
function findSlices(value: unknown, into: Set<object>): number {
  if (value instanceof Slice) return value.length;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return 0;
  let total = 0;
  if (Array.isArray(value)) {
    if (typeof value[0] !== "object") return 0;
    for (const item of value) total += findSlices(item, into);
  } else for (const item of Object.values(value)) total += findSlices(item, into);
  if (total > 0) into.add(value);
  return total;
}

function writeFields(to: Parts, table: Table, message: Fields, apart: ReadonlySet<object>): void {
  for (const field of table.fields) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.packed) {
      writePacked(to, field, value);
      continue;
    }
    const items: readonly unknown[] = field.repeated && Array.isArray(value) ? value : [value];
    for (const item of items) writeField(to, field, item, apart);
  }
  // The reader alone makes this field.
  const unknown = (message["unknown"] ?? []) as readonly UnknownField[];
  for (const field of unknown) writeUnknown(to, field);
}

function writeField(to: Parts, field: Field, value: unknown, apart: ReadonlySet<object>): void {
  const { scalar, message } = field.of;
  if (message === undefined) {
    to.writer.uint32((field.number << 3) | wireTypes[scalar]);
    writeScalar(to, scalar, value);
    return;
  }
  to.writer.uint32((field.number << 3) | 2);
  const fields = value as Fields; // The table says so.
  if (apart.has(fields)) {
    const own = new Parts();
    writeFields(own, message, fields, apart);
    to.message(own);
    return;
  }
  to.writer.fork();
  writeFields(to, message, fields, apart);
  to.writer.ldelim();
}

function writePacked(to: Parts, field: Field, value: unknown): void {
  if (Array.isArray(value) && value.length === 0) return;
  to.writer.uint32((field.number << 3) | 2);
  if (!Array.isArray(value)) {
    to.bytes(value);
    return;
  }
  to.writer.fork();
  for (const item of value) writeScalar(to, field.of.scalar ?? "bytes", item);
  to.writer.ldelim();
}

const wireTypes: Readonly<Record<Scalar, number>> = {
  int32: 0,
  int64: 0,
  uint64: 0,
  double: 1,
  string: 2,
  bytes: 2,
  data: 2,
  float: 5,
};

function writeScalar(to: Parts, scalar: Scalar, value: unknown): void {
  const { writer } = to;
  switch (scalar) {
    case "int32":
      writer.int32(Number(value));
      return;
    case "int64":
    case "uint64":
      if (typeof value !== "bigint") throw new TypeError(`${scalar} takes a bigint`);
      writeInt64(writer, value);
      return;
    case "float":
      writer.float(Number(value));
      return;
    case "double":
      writer.double(Number(value));
      return;
    case "string":
      writer.string(String(value));
      return;
    case "bytes":
    case "data":
      to.bytes(value);
      return;
    default:
      scalar satisfies never;
  }
}

function writeUnknown(to: Parts, { tag, value }: UnknownField): void {
  const { writer } = to;
  writer.uint32(tag);
  if (typeof value !== "bigint") to.bytes(value);
  else if ((tag & 7) === 0) writeInt64(writer, value);
  else {
    writer.fixed32(Number(value & 0xffff_ffffn));
    if ((tag & 7) === 1) writer.fixed32(Number(value >> 32n));
  }
}
