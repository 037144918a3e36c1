import { type Attribute, type Body, sameType, type Tensor } from "../ir/index.js";
import type { Message } from "./schema.js";
import { encodeTensor } from "./tensor-message.js";
import { type Ambiguous, decodeType, encodeType } from "./type-message.js";
import { textBytes, textOrBytes } from "./wire.js";

type AttributeProto = Message<"AttributeProto">;

/** AttributeProto.AttributeType. */
const codes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  "sparse-tensor": 11,
  "sparse-tensors": 12,
  type: 13,
  types: 14,
} as const;

type Kind = keyof typeof codes;
const kinds: ReadonlyMap<number, Kind> = new Map(
  Object.entries(codes).map(([kind, code]) => [code, kind as Kind]),
);

/** What decoding an attribute needs from outside. */
export interface AttributeDecoding {
  readonly ambiguous: Ambiguous;
  tensor(proto: Message<"TensorProto">): Tensor;
  body(proto: Message<"GraphProto">): Body;
}

/**
 * What a node of the model has; a local function's stay as they are read. That it is another attribute's means nothing here:
 * engines take what it says itself.
 */
export function decodeAttribute(proto: AttributeProto, from: AttributeDecoding): Attribute {
  const kind = kindOf(proto);
  switch (kind) {
    case "float":
      return { type: "float", value: proto.f ?? 0 };
    case "int":
      return { type: "int", value: proto.i ?? 0n };
    case "string":
      return { type: "string", value: textOrBytes(proto.s ?? new Uint8Array(0)) };
    case "floats":
      return { type: "floats", value: proto.floats ?? [] };
    case "ints":
      return { type: "ints", value: proto.ints ?? [] };
    case "strings":
      return { type: "strings", value: (proto.strings ?? []).map(textOrBytes) };
    case "tensor":
      return proto.t === undefined
        ? opaque(proto)
        : { type: "tensor", value: from.tensor(proto.t) };
    case "tensors":
      return { type: "tensors", value: (proto.tensors ?? []).map((tensor) => from.tensor(tensor)) };
    case "graph":
      return proto.g === undefined ? opaque(proto) : { type: "graph", value: from.body(proto.g) };
    case "graphs":
      return { type: "graphs", value: (proto.graphs ?? []).map((graph) => from.body(graph)) };
    case "type":
      return { type: "type", value: decodeType(proto.tp, from.ambiguous) };
    case "sparse-tensor":
    case "sparse-tensors":
    case "types":
    case undefined:
      return opaque(proto);
    default:
      return kind satisfies never;
  }
}

function opaque(proto: AttributeProto): Attribute {
  return { type: "opaque", value: new OpaqueAttribute(proto) };
}

class OpaqueAttribute {
  readonly proto: AttributeProto;

  constructor(proto: AttributeProto) {
    this.proto = proto;
  }
}

/** Files of before IR version 2 leave the type to the field that is set. */
function kindOf(proto: AttributeProto): Kind | undefined {
  if (proto.type !== undefined && proto.type !== 0) return kinds.get(proto.type);
  if (proto.f !== undefined) return "float";
  if (proto.i !== undefined) return "int";
  if (proto.s !== undefined) return "string";
  if (proto.t !== undefined) return "tensor";
  if (proto.g !== undefined) return "graph";
  if (proto.tp !== undefined) return "type";
  if (proto.floats !== undefined) return "floats";
  if (proto.ints !== undefined) return "ints";
  if (proto.strings !== undefined) return "strings";
  if (proto.tensors !== undefined) return "tensors";
  if (proto.graphs !== undefined) return "graphs";
  return undefined;
}

/** An attribute as it was read, without what the graph holds itself. */
export function withoutContents(proto: AttributeProto): AttributeProto {
  const { t: _, g: __, tensors: ___, graphs: ____, ...rest } = proto;
  return rest;
}

export function encodeAttribute(
  name: string,
  attribute: Attribute,
  read: AttributeProto | undefined,
  encodeBody: (body: Body) => Message<"GraphProto">,
): AttributeProto {
  if (attribute.type === "opaque")
    return attribute.value instanceof OpaqueAttribute ? attribute.value.proto : { name };
  const asRead = read !== undefined && kindOf(read) === attribute.type;
  const proto: AttributeProto = asRead ? { ...read } : { name };
  if (!asRead) proto.type = codes[attribute.type];
  switch (attribute.type) {
    case "float":
      if ((proto.f ?? 0) !== attribute.value || !asRead) proto.f = attribute.value;
      break;
    case "int":
      if ((proto.i ?? 0n) !== attribute.value || !asRead) proto.i = attribute.value;
      break;
    case "string":
      if (attribute.value.length > 0 || (proto.s?.length ?? 1) > 0 || !asRead)
        proto.s = textBytes(attribute.value);
      break;
    case "floats":
      if (attribute.value.length > 0) proto.floats = [...attribute.value];
      else delete proto.floats;
      break;
    case "ints":
      if (attribute.value.length > 0) proto.ints = [...attribute.value];
      else delete proto.ints;
      break;
    case "strings":
      if (attribute.value.length > 0) proto.strings = attribute.value.map(textBytes);
      else delete proto.strings;
      break;
    case "tensor":
      proto.t = encodeTensor(attribute.value, undefined);
      break;
    case "tensors":
      if (attribute.value.length > 0)
        proto.tensors = attribute.value.map((tensor) => encodeTensor(tensor, undefined));
      break;
    case "graph":
      proto.g = encodeBody(attribute.value);
      break;
    case "graphs":
      if (attribute.value.length > 0) proto.graphs = attribute.value.map(encodeBody);
      break;
    case "type": {
      const type = encodeType(attribute.value);
      if (
        type !== undefined &&
        !(proto.tp !== undefined && sameType(decodeType(proto.tp, new Map()), attribute.value))
      )
        proto.tp = type;
      break;
    }
    default:
      attribute satisfies never;
  }
  return proto;
}
