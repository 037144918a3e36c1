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

type Bytes = ReadonlyMap<Slice, Uint8Array>;

/** Writes a message: known fields in the order of their numbers, then what was not understood, as it was. */
export async function writeMessage<Name extends MessageName>(
  name: Name,
  message: Message<Name>,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const slices = new Set<Slice>();
  collectSlices(message, slices);
  let total = 0;
  for (const slice of slices) total += slice.length;
  if (total >= sizeLimit) {
    throw new PareError(
      "MODEL_LIMIT",
      `The file would take ${total} bytes; an ONNX file holds less than 2 GB.`,
      { hint: "Write the tensors to a file beside it, as external data." },
    );
  }
  const bytes = new Map<Slice, Uint8Array>();
  for (const slice of slices) {
    throwIfAborted(signal);
    bytes.set(slice, await slice.read());
  }
  const writer = new protobuf.Writer();
  writeFields(writer, tableOf(name), message, bytes);
  return writer.finish();
}

function collectSlices(value: unknown, into: Set<Slice>): void {
  if (value instanceof Slice) into.add(value);
  else if (Array.isArray(value)) {
    if (typeof value[0] === "object") for (const item of value) collectSlices(item, into);
  } else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) collectSlices(item, into);
  }
}

function writeFields(writer: protobuf.Writer, table: Table, message: Fields, slices: Bytes): void {
  for (const field of table.fields) {
    const value = message[field.name];
    if (value === undefined) continue;
    if (field.packed) {
      writePacked(writer, field, value, slices);
      continue;
    }
    const items: readonly unknown[] = field.repeated && Array.isArray(value) ? value : [value];
    for (const item of items) writeField(writer, field, item, slices);
  }
  // The reader alone makes this field.
  const unknown = (message["unknown"] ?? []) as readonly UnknownField[];
  for (const field of unknown) writeUnknown(writer, field, slices);
}

function writeField(writer: protobuf.Writer, field: Field, value: unknown, slices: Bytes): void {
  const { scalar, message } = field.of;
  if (message !== undefined) {
    writer.uint32((field.number << 3) | 2).fork();
    writeFields(writer, message, value as Fields, slices); // The table says so.
    writer.ldelim();
    return;
  }
  writer.uint32((field.number << 3) | wireTypes[scalar]);
  writeScalar(writer, scalar, value, slices);
}

function writePacked(writer: protobuf.Writer, field: Field, value: unknown, slices: Bytes): void {
  if (Array.isArray(value) && value.length === 0) return;
  writer.uint32((field.number << 3) | 2);
  if (!Array.isArray(value)) {
    writer.bytes(bytesOf(value, slices));
    return;
  }
  writer.fork();
  for (const item of value) writeScalar(writer, field.of.scalar ?? "bytes", item, slices);
  writer.ldelim();
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

function writeScalar(writer: protobuf.Writer, scalar: Scalar, value: unknown, slices: Bytes): void {
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
      writer.bytes(bytesOf(value, slices));
      return;
    default:
      scalar satisfies never;
  }
}

function bytesOf(value: unknown, slices: Bytes): Uint8Array {
  const bytes = value instanceof Slice ? slices.get(value) : value;
  if (!(bytes instanceof Uint8Array)) throw new TypeError("bytes were expected");
  return bytes;
}

function writeUnknown(writer: protobuf.Writer, { tag, value }: UnknownField, slices: Bytes): void {
  writer.uint32(tag);
  if (typeof value !== "bigint") writer.bytes(bytesOf(value, slices));
  else if ((tag & 7) === 0) writeInt64(writer, value);
  else {
    writer.fixed32(Number(value & 0xffff_ffffn));
    if ((tag & 7) === 1) writer.fixed32(Number(value >> 32n));
  }
}
