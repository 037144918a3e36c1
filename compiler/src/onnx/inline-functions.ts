import { TakenNames } from "./names.js";
import { plainDomain } from "./origin.js";
import type { Message } from "./schema.js";

type ModelProto = Message<"ModelProto">;
type GraphProto = Message<"GraphProto">;
type FunctionProto = Message<"FunctionProto">;
type NodeProto = Message<"NodeProto">;
type AttributeProto = Message<"AttributeProto">;

/** What all calls come to, written out, in nodes and what they and functions list: functions that call others double with each. */
const mostParts = 250_000;
/** How deep functions may call one another. */
const mostCalls = 200;

/**
 * A model whose functions stand where they were called, as engines have it once they loaded it. One stays a function where it calls
 * itself, is written for other versions of operators than the model, or where all calls would come to very much.
 * https://github.com/onnx/onnx/blob/main/docs/IR.md#functions
 * @returns without functions where no call is left; what was given is not changed
 */
export function inlineFunctions(model: ModelProto): ModelProto {
  const { graph, functions = [], opsetImport = [] } = model;
  if (graph === undefined || functions.length === 0) return model;
  const versions = versionsIn(opsetImport);
  const byKey = new Map(functions.map((fn) => [keyOf(fn.domain, fn.name, fn.overload), fn]));
  // A name that stands for two is told when the model is read.
  if (byKey.size < functions.length) return model;
  const settled = new Map(versions);
  const sizes = new Sizes(byKey, (fn) => !takesGraphs(fn) && settle(fn, settled));
  if (sizes.ofGraph(graph) > mostParts) return model;
  const inliner = new Inliner(sizes, namesIn(graph));
  const inlined = inliner.graph(graph);
  const added = new Map(
    [...inliner.used]
      .flatMap((fn) => fn.opsetImport ?? [])
      .filter(({ domain }) => !versions.has(plainDomain(domain)))
      .map((one) => [plainDomain(one.domain), one]),
  );
  const { functions: _, ...rest } = model;
  return {
    ...rest,
    ...(inliner.isComplete ? {} : { functions }),
    graph: inlined,
    opsetImport: [...opsetImport, ...added.values()],
  };
}

function versionsIn(imports: ModelProto["opsetImport"] = []): ReadonlyMap<string, bigint> {
  return new Map(imports.map(({ domain, version = 0n }) => [plainDomain(domain), version]));
}

/**
 * Whether a function is written for the versions that its place has: the model's, and those of functions before it of which the
 * model says none.
 */
function settle({ opsetImport = [] }: FunctionProto, versions: Map<string, bigint>): boolean {
  const own = versionsIn(opsetImport);
  const isOne = opsetImport.every(({ domain, version = 0n }) => {
    const name = plainDomain(domain);
    return own.get(name) === version && (versions.get(name) ?? version) === version;
  });
  if (isOne) for (const [domain, version] of own) versions.set(domain, version);
  return isOne;
}

function keyOf(domain: string | undefined, name = "", overload = ""): string {
  return `${plainDomain(domain)}::${name}::${overload}`;
}

/** A graph that a function is given sees what is around the call, and not what is around its reader. */
function takesGraphs({ node = [] }: Pick<GraphProto, "node">): boolean {
  return node.some(
    (each) =>
      (each.attribute ?? []).some(({ refAttrName, type }) => refAttrName && graphTypes.has(type)) ||
      graphsOf(each).some(takesGraphs),
  );
}

/** AttributeProto.GRAPH and GRAPHS. */
const graphTypes: ReadonlySet<number | undefined> = new Set([5, 10]);

function calledBy({ domain, opType, overload }: NodeProto): string {
  return keyOf(domain, opType, overload);
}

function graphsOf({ attribute = [] }: NodeProto): readonly GraphProto[] {
  return attribute.flatMap(({ g, graphs = [] }) => (g === undefined ? graphs : [g, ...graphs]));
}

/** What nodes come to, and how deep calls are nested in them. */
interface Size {
  readonly parts: number;
  readonly calls: number;
}

/** How much calls come to; of functions that stay what they are, what the call is. */
class Sizes {
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #fits: (fn: FunctionProto) => boolean;
  /** Null of one that stays, and of one that is being looked at. */
  readonly #known = new Map<string, Size | null>();
  /** Those that call themselves, by however many others. */
  readonly #endless = new Set<string>();

  constructor(functions: ReadonlyMap<string, FunctionProto>, fits: (fn: FunctionProto) => boolean) {
    this.#functions = functions;
    this.#fits = fits;
  }

  ofGraph({ node = [] }: GraphProto): number {
    return this.#ofNodes(node, 0).parts;
  }

  /** The function that a node calls, where it is put in the node's place. */
  calledBy(node: NodeProto): FunctionProto | undefined {
    const key = calledBy(node);
    return (this.#known.get(key) ?? null) === null ? undefined : this.#functions.get(key);
  }

  isCall(node: NodeProto): boolean {
    return this.#functions.has(calledBy(node));
  }

  #ofNodes(nodes: readonly NodeProto[], depth: number): Size {
    let [parts, calls] = [0, 0];
    for (const node of nodes) {
      const { input = [], output = [], attribute = [] } = node;
      parts += 1 + input.length + output.length + attribute.length;
      const called = this.#ofCall(calledBy(node), depth);
      if (called !== null) {
        parts += called.parts;
        calls = Math.max(calls, 1 + called.calls);
      }
      for (const graph of graphsOf(node)) {
        const inner = this.#ofNodes(graph.node ?? [], depth);
        parts += listedIn(graph) + inner.parts;
        calls = Math.max(calls, inner.calls);
      }
      if (parts > mostParts) break;
    }
    return { parts, calls };
  }

  /** @param depth calls around it */
  #ofCall(key: string, depth: number): Size | null {
    const known = this.#known.get(key);
    if (known === null) this.#endless.add(key);
    if (known !== undefined) {
      const isDeep = known !== null && depth + 1 + known.calls > mostCalls;
      if (isDeep) this.#known.set(key, null);
      return isDeep ? null : known;
    }
    const fn = this.#functions.get(key);
    if (fn === undefined) return null;
    this.#known.set(key, null);
    if (depth >= mostCalls || !this.#fits(fn)) return null;
    const { node = [], input = [], output = [], attributeProto = [] } = fn;
    const listed = input.length + output.length + attributeProto.length;
    const { parts, calls } = this.#ofNodes(node, depth + 1);
    if (this.#endless.has(key)) return null;
    const size = { parts: listed + parts, calls };
    this.#known.set(key, size);
    return size;
  }
}

/** What a nested graph lists beside its nodes. */
function listedIn({ input, output, initializer, sparseInitializer }: GraphProto): number {
  const lists = [input, output, initializer, sparseInitializer];
  return lists.reduce((sum, list) => sum + (list?.length ?? 0), 1);
}

/** What a function's names stand for where it is called, and its attributes. */
interface Call {
  readonly prefix: string;
  readonly names: Names;
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** Names of a function or of a body in it, which sees those around it. */
class Names {
  readonly #own: Map<string, string>;
  readonly #outer: Names | undefined;

  constructor(own: Map<string, string>, outer?: Names) {
    this.#own = own;
    this.#outer = outer;
  }

  get(name: string): string | undefined {
    return this.#own.get(name) ?? this.#outer?.get(name);
  }
}

class Inliner {
  readonly used = new Set<FunctionProto>();
  /** Is no call left? */
  isComplete = true;
  readonly #sizes: Sizes;
  readonly #taken: TakenNames;

  constructor(sizes: Sizes, taken: TakenNames) {
    this.#sizes = sizes;
    this.#taken = taken;
  }

  graph(graph: GraphProto): GraphProto {
    const { node } = graph;
    return node === undefined
      ? graph
      : { ...graph, node: node.flatMap((each) => this.#node(each)) };
  }

  #node(node: NodeProto): readonly NodeProto[] {
    const fn = this.#sizes.calledBy(node);
    if (fn !== undefined) return this.#call(node, fn);
    if (this.#sizes.isCall(node)) this.isComplete = false;
    if (graphsOf(node).length === 0) return [node];
    return [withGraphs(node, (graph) => this.graph(graph))];
  }

  #call(call: NodeProto, fn: FunctionProto): readonly NodeProto[] {
    this.used.add(fn);
    const { input = [], output = [], node: nodes = [] } = fn;
    const prefix = `${shortened(call.name || call.opType || "call")}/`;
    const names = new Map(input.map((name, at) => [name, call.input?.[at] ?? ""]));
    const passed: NodeProto[] = [];
    output.forEach((name, at) => {
      const wanted = call.output?.[at] ?? "";
      if (wanted === "") return;
      // What a function gives as it took it, or gives twice.
      if (names.has(name))
        passed.push({ opType: "Identity", input: [name], output: [wanted], name: `${name}_given` });
      else names.set(name, wanted);
    });
    const attributes = new Map(
      [...(fn.attributeProto ?? []), ...(call.attribute ?? [])].map((one) => [one.name ?? "", one]),
    );
    const defined = nodes.flatMap((node) => node.output ?? []);
    this.#name(defined, prefix, names);
    const inside: Call = { prefix, names: new Names(names), attributes };
    const given = passed.map((node) => ({
      ...this.#placed(node, inside),
      output: node.output ?? [],
    }));
    return [...nodes.map((node) => this.#placed(node, inside)), ...given].flatMap((node) =>
      this.#node(node),
    );
  }

  /** Gives names to what has none there yet. */
  #name(defined: readonly string[], prefix: string, into: Map<string, string>): void {
    for (const name of defined)
      if (name !== "" && !into.has(name))
        into.set(name, this.#taken.take(`${prefix}${shortened(name)}`));
  }

  #placed(node: NodeProto, call: Call): NodeProto {
    const { input = [], output = [], attribute = [] } = node;
    const { prefix, attributes } = call;
    const named = (name: string): string => nameIn(call, name);
    const bound = attribute.flatMap((one): readonly AttributeProto[] => {
      if (!one.refAttrName) return [one];
      const value = attributes.get(one.refAttrName);
      if (value === undefined || value.g !== undefined || value.graphs !== undefined) return [];
      return [{ ...value, name: one.name ?? "" }];
    });
    return withGraphs(
      {
        ...node,
        name: `${prefix}${shortened(node.name || node.opType || "node")}`,
        input: input.map(named),
        output: output.map(named),
        attribute: bound,
      },
      (graph) => this.#nested(graph, call),
    );
  }

  /** A body inside a function: it sees the function's names, and has some of its own. */
  #nested(graph: GraphProto, call: Call): GraphProto {
    const { node = [], input = [], output = [], initializer = [], sparseInitializer = [] } = graph;
    const own = [
      ...input.map(({ name = "" }) => name),
      ...initializer.map(({ name = "" }) => name),
      ...sparseInitializer.map(({ values }) => values?.name ?? ""),
      ...node.flatMap((each) => each.output ?? []),
    ];
    const renamings = new Map<string, string>();
    this.#name(own, call.prefix, renamings);
    const inside: Call = { ...call, names: new Names(renamings, call.names) };
    const renamed = <T extends { name?: string }>(one: T): T => ({
      ...one,
      name: nameIn(inside, one.name ?? ""),
    });
    const { valueInfo: _, quantizationAnnotation: __, ...rest } = graph;
    return {
      ...rest,
      node: node.map((each) => this.#placed(each, inside)),
      input: input.map(renamed),
      output: output.map(renamed),
      initializer: initializer.map(renamed),
      sparseInitializer: sparseInitializer.map((one) =>
        one.values === undefined ? one : { ...one, values: renamed(one.values) },
      ),
    };
  }
}

/** A name that nothing in the function defines is none of those around the call. */
function nameIn({ names, prefix }: Call, name: string): string {
  return name === "" ? "" : (names.get(name) ?? `${prefix}${shortened(name)}?`);
}

/** Names of calls in calls grow, and names are written once for each call. */
function shortened(name: string): string {
  return name.length <= longestName ? name : `…${name.slice(-longestName / 2)}`;
}

const longestName = 200;

function withGraphs(node: NodeProto, change: (graph: GraphProto) => GraphProto): NodeProto {
  if (graphsOf(node).length === 0) return node;
  const attribute = (node.attribute ?? []).map((one) => ({
    ...one,
    ...(one.g !== undefined && { g: change(one.g) }),
    ...(one.graphs !== undefined && { graphs: one.graphs.map(change) }),
  }));
  return { ...node, attribute };
}

/** All names of a graph and of those nested in it. */
function namesIn(graph: GraphProto, into = new TakenNames(undefined)): TakenNames {
  const { node = [], input = [], initializer = [], sparseInitializer = [] } = graph;
  for (const { name = "" } of [...input, ...initializer]) into.take(name);
  for (const { values } of sparseInitializer) into.take(values?.name ?? "");
  for (const each of node) {
    for (const name of each.output ?? []) into.take(name);
    for (const inner of graphsOf(each)) namesIn(inner, into);
  }
  return into;
}
