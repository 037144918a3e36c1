import { throwIfAborted } from "@pare/runtime/format";
import { type Graph, residentLimit } from "../ir/index.js";
import type { Message } from "./schema.js";
import { Slice } from "./slice.js";
import { TensorOrigin } from "./tensor-message.js";
import { checkLocation } from "./external.js";

/** Into one file beside the model, at `location`: where the model's tensors take more than `beyond` bytes, 0 where not given. */
interface MovingOut {
  readonly location: string;
  readonly beyond?: number;
}

export type ExternalWriting = "inline" | "keep" | MovingOut;

/** A file of weights, which takes more memory than there may be: its content is read part by part as it is written. */
export interface ExternalFile {
  readonly size: number;
  readonly content: () => AsyncIterable<Uint8Array>;
}

/** Engines map files into memory by pages. */
const alignment = 4096;

/** Takes the large tensors out of a message and into one file; gives the file by its location, none where all stay. */
export function moveOut(
  message: Message<"ModelProto">,
  { location, beyond = 0 }: MovingOut,
  signal?: AbortSignal,
): ReadonlyMap<string, ExternalFile> {
  checkLocation(location);
  const tensors = tensorsOf(message);
  const bytes = tensors.reduce((sum, { rawData }) => sum + (rawData?.length ?? 0), 0);
  if (bytes <= beyond) return new Map();
  const parts: Part[] = [];
  let size = 0;
  for (const tensor of tensors) {
    const { rawData } = tensor;
    if (rawData === undefined || rawData.length <= residentLimit) continue;
    const offset = Math.ceil(size / alignment) * alignment;
    parts.push({ offset, data: rawData });
    size = offset + rawData.length;
    delete tensor.rawData;
    tensor.dataLocation = 1;
    tensor.externalData = [
      { key: "location", value: location },
      { key: "offset", value: String(offset) },
      { key: "length", value: String(rawData.length) },
    ];
  }
  if (parts.length === 0) return new Map();
  return new Map([[location, { size, content: () => contentOf(parts, signal) }]]);
}

interface Part {
  readonly offset: number;
  readonly data: Uint8Array | Slice;
}

async function* contentOf(
  parts: readonly Part[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const { offset, data } of parts) {
    throwIfAborted(signal);
    if (offset > at) yield new Uint8Array(offset - at);
    yield data instanceof Slice ? await data.read() : data;
    at = offset + data.length;
  }
}

/** Lets tensors that were read from other files refer to these again. */
export function keepExternal(graph: Graph, message: Message<"ModelProto">): void {
  const origins = new Map<Slice, TensorOrigin>();
  const remember = (origin: unknown): void => {
    if (origin instanceof TensorOrigin && origin.external !== undefined)
      origins.set(origin.external, origin);
  };
  for (const value of graph.allValues()) remember(value.constant?.origin);
  for (const node of graph.allNodes()) {
    for (const attribute of node.attributes.values()) {
      if (attribute.type === "tensor") remember(attribute.value.origin);
      else if (attribute.type === "tensors")
        for (const tensor of attribute.value) remember(tensor.origin);
    }
  }
  for (const tensor of tensorsOf(message)) {
    const origin = tensor.rawData instanceof Slice ? origins.get(tensor.rawData) : undefined;
    if (origin === undefined) continue;
    delete tensor.rawData;
    tensor.dataLocation = 1;
    if (origin.proto.externalData !== undefined) tensor.externalData = origin.proto.externalData;
  }
}

/** The dense tensors of a model's graphs: initializers and those in attributes. */
function tensorsOf(message: Message<"ModelProto">): readonly Message<"TensorProto">[] {
  const found: Message<"TensorProto">[] = [];
  const visit = (graph: Message<"GraphProto">): void => {
    for (const tensor of graph.initializer ?? []) found.push(tensor);
    for (const node of graph.node ?? []) {
      for (const { t, tensors, g, graphs } of node.attribute ?? []) {
        if (t !== undefined) found.push(t);
        for (const tensor of tensors ?? []) found.push(tensor);
        if (g !== undefined) visit(g);
        graphs?.forEach(visit);
      }
    }
  };
  if (message.graph !== undefined) visit(message.graph);
  return found;
}
