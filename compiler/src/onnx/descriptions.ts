import type { Message } from "./schema.js";

// What exporters and other tools write about single nodes, values and tensors: stack traces, module names, the folders
// of the machine that exported. No engine reads it, and it can be nearly half of a file.

interface Described {
  docString?: string;
  metadataProps?: Message<"StringStringEntryProto">[];
}

/** By convention what a tool notes for itself (`pkg.torch.onnx.stack_trace`), and nothing that its user said. */
export function isToolKey(key: string): boolean {
  return key.startsWith("pkg.");
}

/**
 * A model without descriptions of its nodes, values and tensors, of its graph and of what is inside. Its own inputs and
 * outputs keep their documentation, and the model keeps all that it says of itself: its author, its licence.
 * @returns with how many were dropped; what was given stays as it is
 */
export function withoutDescriptions(model: Message<"ModelProto">): {
  readonly model: Message<"ModelProto">;
  readonly dropped: number;
} {
  const copy = new BareCopy();
  const bare = { ...model };
  if (model.graph !== undefined) bare.graph = copy.graph(model.graph, true);
  if (model.functions !== undefined) bare.functions = model.functions.map((fn) => copy.fn(fn));
  return { model: bare, dropped: copy.dropped };
}

class BareCopy {
  dropped = 0;

  fn(proto: Message<"FunctionProto">): Message<"FunctionProto"> {
    const { node, valueInfo, attributeProto } = proto;
    const bare = this.#bare(proto);
    if (node !== undefined) bare.node = node.map((each) => this.#node(each));
    if (valueInfo !== undefined) bare.valueInfo = valueInfo.map((info) => this.#bare(info));
    if (attributeProto !== undefined)
      bare.attributeProto = attributeProto.map((each) => this.#attribute(each));
    return bare;
  }

  /** @param main its inputs and outputs are the model's own */
  graph(proto: Message<"GraphProto">, main: boolean): Message<"GraphProto"> {
    const port = (info: Message<"ValueInfoProto">): Message<"ValueInfoProto"> =>
      main ? this.#port(info) : this.#bare(info);
    const { node, initializer, sparseInitializer, input, output, valueInfo } = proto;
    const bare = this.#bare(proto);
    if (node !== undefined) bare.node = node.map((each) => this.#node(each));
    if (initializer !== undefined) bare.initializer = initializer.map((each) => this.#bare(each));
    if (sparseInitializer !== undefined)
      bare.sparseInitializer = sparseInitializer.map((each) => this.#sparse(each));
    if (input !== undefined) bare.input = input.map(port);
    if (output !== undefined) bare.output = output.map(port);
    if (valueInfo !== undefined) bare.valueInfo = valueInfo.map((info) => this.#bare(info));
    return bare;
  }

  #node(proto: Message<"NodeProto">): Message<"NodeProto"> {
    const bare = this.#bare(proto);
    if (proto.attribute !== undefined)
      bare.attribute = proto.attribute.map((each) => this.#attribute(each));
    return bare;
  }

  #attribute(proto: Message<"AttributeProto">): Message<"AttributeProto"> {
    const { t, tensors, g, graphs, sparseTensor, sparseTensors } = proto;
    const bare = this.#bare(proto);
    if (t !== undefined) bare.t = this.#bare(t);
    if (tensors !== undefined) bare.tensors = tensors.map((each) => this.#bare(each));
    if (g !== undefined) bare.g = this.graph(g, false);
    if (graphs !== undefined) bare.graphs = graphs.map((each) => this.graph(each, false));
    if (sparseTensor !== undefined) bare.sparseTensor = this.#sparse(sparseTensor);
    if (sparseTensors !== undefined)
      bare.sparseTensors = sparseTensors.map((each) => this.#sparse(each));
    return bare;
  }

  #sparse(proto: Message<"SparseTensorProto">): Message<"SparseTensorProto"> {
    const bare = { ...proto };
    if (proto.values !== undefined) bare.values = this.#bare(proto.values);
    if (proto.indices !== undefined) bare.indices = this.#bare(proto.indices);
    return bare;
  }

  #port(proto: Message<"ValueInfoProto">): Message<"ValueInfoProto"> {
    const { metadataProps = [] } = proto;
    const kept = metadataProps.filter(({ key = "" }) => !isToolKey(key));
    if (kept.length === metadataProps.length) return proto;
    this.dropped += 1;
    return { ...proto, metadataProps: kept };
  }

  #bare<Proto extends Described>(proto: Proto): Proto {
    const bare = { ...proto };
    if (bare.docString !== undefined || bare.metadataProps !== undefined) this.dropped += 1;
    delete bare.docString;
    delete bare.metadataProps;
    return bare;
  }
}
