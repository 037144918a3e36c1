/** Fields of ONNX's messages (onnx.proto) in which tensors may lie, by number. */
const inside = {
  Model: { 7: "Graph", 20: "Training", 25: "Function" },
  Training: { 1: "Graph", 2: "Graph" },
  Function: { 7: "Node", 11: "Attribute" },
  Graph: { 1: "Node", 5: "Tensor", 15: "Sparse" },
  Node: { 5: "Attribute" },
  Attribute: {
    5: "Tensor",
    6: "Graph",
    10: "Tensor",
    11: "Graph",
    22: "Sparse",
    23: "Sparse",
  },
  Sparse: { 1: "Tensor", 2: "Tensor" },
  Tensor: { 13: "Entry" },
  Entry: {},
} as const satisfies Readonly<Record<string, Readonly<Record<number, string>>>>;

type Message = keyof typeof inside;

/** Graphs in graphs. No engine takes as many. */
const deepest = 200;

/**
 * The files that a model's tensors refer to (`external_data`, key `location`). Weights are passed over, not read.
 * @returns null where it is no such message
 */
export function externalLocations(model: Uint8Array): ReadonlySet<string> | null {
  const found = new Set<string>();
  return visit(model, "Model", found, 0) ? found : null;
}

function visit(bytes: Uint8Array, message: Message, found: Set<string>, depth: number): boolean {
  if (depth > deepest) return false;
  const known: Readonly<Record<number, Message>> = inside[message];
  let [key, value] = ["", ""];
  for (let at = 0; at < bytes.length;) {
    const tag = tagAt(bytes, at);
    if (tag === null) return false;
    at = tag.next;
    const field = Math.floor(tag.value / 8);
    const type = tag.value % 8;
    if (type !== 2) {
      const next = skipped(bytes, at, type, depth);
      if (next === null) return false;
      at = next;
      continue;
    }
    const length = varint(bytes, at);
    if (length === null || length.next + length.value > bytes.length) return false;
    const part = bytes.subarray(length.next, length.next + length.value);
    at = length.next + length.value;
    if (message === "Entry") {
      if (field === 1) key = new TextDecoder().decode(part);
      if (field === 2) value = new TextDecoder().decode(part);
    }
    const kind = known[field];
    if (kind !== undefined && !visit(part, kind, found, depth + 1)) return false;
  }
  if (message === "Entry" && key === "location") found.add(value);
  return true;
}

/** Where a field of another type ends: a varint, eight bytes, four, or a group, whose end is a tag of its own. */
function skipped(bytes: Uint8Array, from: number, type: number, depth: number): number | null {
  let next: number | null = null;
  if (type === 0) next = varint(bytes, from)?.next ?? null;
  else if (type === 1) next = from + 8;
  else if (type === 5) next = from + 4;
  else if (type === 3) next = endOfGroup(bytes, from, depth + 1);
  return next === null || next > bytes.length ? null : next;
}

function endOfGroup(bytes: Uint8Array, from: number, depth: number): number | null {
  if (depth > deepest) return null;
  for (let at = from; ;) {
    const tag = tagAt(bytes, at);
    if (tag === null) return null;
    const type = tag.value % 8;
    if (type === 4) return tag.next;
    const length = type === 2 ? varint(bytes, tag.next) : null;
    const end =
      type === 2 ? length && length.next + length.value : skipped(bytes, tag.next, type, depth);
    if (end === null || end > bytes.length) return null;
    at = end;
  }
}

/**
 * A field's number and type, as protobuf's C++ reads them, with which engines read the model: modulo 2^32, from five bytes
 * at most. What was read otherwise here would be passed over here and taken there.
 */
function tagAt(bytes: Uint8Array, at: number): { value: number; next: number } | null {
  const tag = varint(bytes, at);
  return tag === null || tag.next - at > 5 ? null : { ...tag, value: tag.value % 2 ** 32 };
}

function varint(bytes: Uint8Array, at: number): { value: number; next: number } | null {
  let value = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return null;
    value += (byte % 128) * 2 ** (7 * index);
    if (byte < 128) return { value, next: at + index + 1 };
  }
  return null;
}
