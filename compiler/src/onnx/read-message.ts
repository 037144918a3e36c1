import { type ByteSource, nestingLimit, PareError } from "@pare/runtime/format";
import { residentLimit } from "../ir/index.js";
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
import { Slice, Window } from "./slice.js";
import { readInt64, readText, readUint64 } from "./wire.js";

type Fields = Record<string, unknown>;

/**
 * Reads a message without reading what is long in it: raw and packed data above `residentLimit` stay in the source
 * as slices. Bytes that are kept are copies, so that they do not hold on to their surroundings.
 * @throws PareError MODEL_INVALID, MODEL_TRUNCATED, MODEL_LIMIT
 */
export async function readMessage<Name extends MessageName>(
  name: Name,
  source: ByteSource,
): Promise<Message<Name>> {
  try {
    const fields = await readLong(new Window(source), tableOf(name), 0, source.size, 0);
    return fields as Message<Name>; // The table of this name says so.
  } catch (error) {
    if (error instanceof PareError) throw error;
    throw invalid(
      `The bytes are not a ${name}: ${error instanceof Error ? error.message : String(error)}.`,
      name,
    );
  }
}

/** Walks over a message that may be long, field by field, with little of it in memory. */
async function readLong(
  window: Window,
  table: Table,
  start: number,
  end: number,
  depth: number,
): Promise<Fields> {
  checkDepth(depth, table);
  const message: Fields = {};
  let at = start;
  while (at < end) {
    const size = Math.min(20, end - at);
    const header = new protobuf.Reader(window.peek(at, size) ?? (await window.load(at, size)));
    const tag = header.uint32();
    const field = fieldOf(table, tag);
    if ((tag & 7) === 2) {
      const length = header.uint32();
      const from = at + header.pos;
      const to = from + length;
      if (to > end) throw tooLong(table, field, end - from, length, depth);
      if (field === undefined) {
        const payload =
          length > residentLimit
            ? new Slice(window.source, from, length)
            : copy(window.peek(from, length) ?? (await window.load(from, length)));
        keepUnknown(message, tag, payload);
      } else if (length > residentLimit && field.of.message !== undefined) {
        store(message, field, await readLong(window, field.of.message, from, to, depth + 1), table);
      } else if (length > residentLimit && (field.of.scalar === "data" || field.packed)) {
        store(message, field, new Slice(window.source, from, length), table);
      } else {
        const bytes = window.peek(from, length) ?? (await window.load(from, length));
        const reader = new protobuf.Reader(bytes);
        readPayload(message, table, field, reader, length, depth);
      }
      at = to;
    } else {
      if (field === undefined) keepUnknown(message, tag, readUnknown(table, header, tag));
      else store(message, field, readPlain(table, field, header, tag & 7), table);
      at += header.pos;
    }
  }
  return message;
}

/** Reads a message that is in memory. */
function readShort(reader: protobuf.Reader, table: Table, end: number, depth: number): Fields {
  checkDepth(depth, table);
  const message: Fields = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = fieldOf(table, tag);
    if ((tag & 7) === 2) {
      const length = reader.uint32();
      const stop = reader.pos + length;
      if (stop > end) throw tooLong(table, field, end - reader.pos, length, depth);
      if (field === undefined) {
        keepUnknown(message, tag, copy(reader.buf.subarray(reader.pos, stop)));
        reader.pos = stop;
      } else readPayload(message, table, field, reader, stop, depth);
    } else if (field === undefined) keepUnknown(message, tag, readUnknown(table, reader, tag));
    else store(message, field, readPlain(table, field, reader, tag & 7), table);
  }
  if (reader.pos !== end)
    throw invalid(`A field of ${table.name} is longer than its message.`, table.name);
  return message;
}

/** Reads what follows a length, up to `end`. */
function readPayload(
  message: Fields,
  table: Table,
  field: Field,
  reader: protobuf.Reader,
  end: number,
  depth: number,
): void {
  if (field.of.message !== undefined) {
    store(message, field, readShort(reader, field.of.message, end, depth + 1), table);
    return;
  }
  const { scalar } = field.of;
  switch (scalar) {
    case "string":
    case "bytes":
    case "data": {
      const bytes = reader.buf.subarray(reader.pos, end);
      store(
        message,
        field,
        scalar === "string" ? readText(bytes, `${table.name}.${field.name}`) : copy(bytes),
        table,
      );
      reader.pos = end;
      return;
    }
    default: {
      if (!field.repeated) throw wrongWire(table, field);
      const list = listOf(message, field, table);
      while (reader.pos < end) list.push(readNumber(scalar, reader));
      if (reader.pos !== end)
        throw invalid(`Packed ${table.name}.${field.name} does not end where it says.`, table.name);
    }
  }
}

const wireTypes: Readonly<Partial<Record<Scalar, number>>> = {
  int32: 0,
  int64: 0,
  uint64: 0,
  double: 1,
  float: 5,
};

function readPlain(
  table: Table,
  field: Field,
  reader: protobuf.Reader,
  wire: number,
): number | bigint {
  const { scalar } = field.of;
  if (scalar === undefined || wireTypes[scalar] !== wire) throw wrongWire(table, field);
  return readNumber(scalar, reader);
}

function readNumber(scalar: Scalar, reader: protobuf.Reader): number | bigint {
  switch (scalar) {
    case "int32":
      return reader.int32();
    case "int64":
      return readInt64(reader);
    case "uint64":
      return readUint64(reader);
    case "float":
      return reader.float();
    case "double":
      return reader.double();
    case "string":
    case "bytes":
    case "data":
      throw new TypeError(`${scalar} is not a number`);
    default:
      return scalar satisfies never;
  }
}

function fieldOf(table: Table, tag: number): Field | undefined {
  if (tag >>> 3 === 0) throw invalid(`${table.name} has a field without a number.`, table.name);
  return table.byNumber.get(tag >>> 3);
}

function store(message: Fields, field: Field, value: unknown, table: Table): void {
  if (field.repeated && !(value instanceof Slice)) listOf(message, field, table).push(value);
  else if (
    message[field.name] !== undefined &&
    (value instanceof Slice || field.of.message !== undefined)
  ) {
    throw invalid(`${table.name}.${field.name} is given twice.`, table.name);
  } else message[field.name] = value;
}

function listOf(message: Fields, field: Field, table: Table): unknown[] {
  const list = (message[field.name] ??= []);
  if (!Array.isArray(list))
    throw invalid(`${table.name}.${field.name} is given twice.`, table.name);
  return list;
}

function keepUnknown(message: Fields, tag: number, value: UnknownField["value"]): void {
  const list = (message["unknown"] ??= []);
  if (Array.isArray(list)) list.push({ tag, value } satisfies UnknownField);
}

function readUnknown(table: Table, reader: protobuf.Reader, tag: number): bigint {
  switch (tag & 7) {
    case 0:
      return readUint64(reader);
    case 1: {
      const low = reader.fixed32();
      return BigInt(low) | (BigInt(reader.fixed32()) << 32n);
    }
    case 5:
      return BigInt(reader.fixed32());
    default:
      throw invalid(`${table.name} has a field of no known encoding.`, table.name);
  }
}

function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function checkDepth(depth: number, table: Table): void {
  if (depth <= nestingLimit) return;
  throw new PareError("MODEL_LIMIT", `The model nests deeper than ${nestingLimit} levels.`, {
    where: table.name,
    hint: "Messages within messages are counted: branches and loops within each other are three levels each.",
  });
}

function tooLong(
  table: Table,
  field: Field | undefined,
  there: number,
  length: number,
  depth: number,
): PareError {
  const what = `${table.name}${field === undefined ? "" : `.${field.name}`}`;
  const message = `${what} should be ${length} bytes, but only ${there} are left.`;
  // Only at the outermost level does a file that was cut off show; deeper, lengths contradict one another.
  if (depth > 0 || field === undefined) return invalid(message, what);
  return new PareError("MODEL_TRUNCATED", message, {
    where: what,
    hint: "Copy or download the file again.",
  });
}

function wrongWire(table: Table, field: Field): PareError {
  return invalid(
    `${table.name}.${field.name} is not encoded as ${field.of.scalar ?? "a message"}.`,
    table.name,
  );
}

function invalid(message: string, where: string): PareError {
  return new PareError("MODEL_INVALID", message, { where, hint: "Is this an ONNX model?" });
}
