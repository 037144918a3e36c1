import { type Dtype, PareError } from "@pare/runtime/format";
import { edit, type Graph, type Node, normalOpset } from "../ir/index.js";
import { inferAll, missingInput } from "../ops/index.js";
import { constantsToInitializers } from "./constants-to-initializers.js";
import { defaultsToInitializers } from "./defaults-to-initializers.js";
import { dropUnused } from "./drop-unused.js";
import { sayFused } from "./fused-operators/say-fused.js";
import { sayLeftByConverters } from "./left-by-converters.js";
import { outputsToTensors } from "./outputs-to-tensors.js";
import { fromNewerOpset } from "./opset/from-newer.js";
import { opsetOf, raiseOpset } from "./opset/raise.js";
import { definePass } from "../pipeline/pass.js";
import { keepZerosApart } from "../rules/pads-of-maxima.js";

/**
 * The one form that rules and rows are written for: ai.onnx at opset 21, constants as initializers, defaults no
 * longer inputs, nothing unused, every type inferred, what onnxruntime fused said in ai.onnx.
 */
export const normalize = definePass({
  name: "normalize",
  summary: "raise to opset 21, and bring constants, inputs and types into one form",
  options: {},
  create: () => ({ exactness: "rounding", run: normalizeGraph }),
});

/** Opset 21 came with it. Of a newer one engines that are older refuse every file, whatever it says. */
const normalIrVersion = 10n;

export function normalizeGraph(graph: Graph): void {
  constantsToInitializers(graph);
  defaultsToInitializers(graph);
  dropUnused(graph);
  mergeDomainNames(graph);
  const opset = opsetOf(graph);
  refuseWhatComputesNothing(graph);
  refuseBlockedLayouts(graph);
  dropUnusedFunctions(graph);
  if (opset !== normalOpset) refuseFunctions(graph, opset);
  if (opset < normalOpset) raiseOpset(graph, opset);
  else if (opset > normalOpset) fromNewerOpset(graph, opset);
  else edit(graph, "normalize", (editor) => editor.setOpset("", normalOpset));
  constantsToInitializers(graph);
  outputsToTensors(graph);
  sayLeftByConverters(graph);
  dropUnused(graph);
  refuseMissingInputs(graph);
  for (const { op, domain, node } of inferAll(graph)) {
    graph.journal.push({
      rule: "normalize",
      what: "left",
      node,
      op,
      reason: `${domain === "" ? op : `${domain}.${op}`} is not known; its types stay as the file declares them`,
    });
  }
  sayFused(graph);
  keepZerosApart(graph);
  dropUnusedDomains(graph);
  const { irVersion } = graph.header;
  if (irVersion < normalIrVersion || (irVersion > normalIrVersion && !holdsNewerTypes(graph)))
    edit(graph, "normalize", (editor) => editor.setHeader({ irVersion: normalIrVersion }));
}

const blockedLayouts = "com.microsoft.nchwc";

/** Types that came with later versions of the format. */
const newerTypes: ReadonlySet<Dtype> = new Set(["float4e2m1", "float8e8m0", "int2", "uint2"]);

function holdsNewerTypes(graph: Graph): boolean {
  return [...graph.allValues()].some(
    ({ type }) => type.kind === "tensor" && type.dtype !== undefined && newerTypes.has(type.dtype),
  );
}

/** Without outputs nothing is used; of an input of no type nothing can be said. @throws PareError MODEL_INVALID */
function refuseWhatComputesNothing(graph: Graph): void {
  const hint = "Export the model again; no engine runs it so.";
  if (graph.main.outputs.length === 0)
    throw new PareError("MODEL_INVALID", "The model has no outputs: it computes nothing.", {
      where: "graph.output",
      hint,
    });
  for (const id of graph.main.inputs) {
    const { name, type } = graph.value(id);
    if (type.kind !== "unknown" && (type.kind !== "tensor" || type.dtype !== undefined)) continue;
    throw new PareError("MODEL_INVALID", `The input "${name}" does not say its type.`, {
      where: name,
      hint,
    });
  }
}

/**
 * onnxruntime lays weights out in blocks as wide as the vectors of the processor that it optimized on; how wide, the file does
 * not say.
 * @throws PareError UNSUPPORTED_OP naming the first such node
 */
function refuseBlockedLayouts(graph: Graph): void {
  for (const node of graph.allNodes()) {
    if (node.domain !== blockedLayouts) continue;
    throw new PareError(
      "UNSUPPORTED_OP",
      `onnxruntime optimized this model for the processor that it ran on (${node.domain}); it is right on none with other vectors.`,
      {
        where: graph.nodeLabel(node),
        hint: 'Give the model that it was made from, or save it at the optimization level "extended" instead of "all".',
      },
    );
  }
}

/** Passes read the inputs that an operator must have as if they were there. @throws PareError MODEL_INVALID */
function refuseMissingInputs(graph: Graph): void {
  for (const node of graph.allNodes()) {
    const missing = missingInput(node);
    if (missing === null) continue;
    throw new PareError(
      "MODEL_INVALID",
      `The ${node.op} "${graph.nodeLabel(node)}" has no input ${missing}, which it must have.`,
      { where: graph.nodeLabel(node), hint: "Export the model again; no engine runs it so." },
    );
  }
}

/** Functions may call one another, so that all stay where one is called. */
function dropUnusedFunctions(graph: Graph): void {
  if (graph.header.functions.size === 0) return;
  if ([...graph.allNodes()].some((node) => isCall(graph, node))) return;
  edit(graph, "drop-unused", (editor) => editor.setHeader({ functions: new Map() }));
}

/**
 * A model's functions are read in the model's own opset, and their nodes are not looked at here.
 * @throws PareError UNSUPPORTED_OP naming the call
 */
function refuseFunctions(graph: Graph, opset: number): void {
  for (const node of graph.allNodes()) {
    if (!isCall(graph, node)) continue;
    throw new PareError(
      "UNSUPPORTED_OP",
      `${node.domain}.${node.op} is a function of the model, written for opset ${opset}, and cannot be raised to ${normalOpset}.`,
      {
        where: graph.nodeLabel(node),
        hint: `Functions stand where they are called unless they call themselves, are written for another opset than the model, or come to very many nodes: export the model for opset ${normalOpset}, or without them.`,
      },
    );
  }
}

function isCall(graph: Graph, { domain, op, overload }: Node): boolean {
  return graph.header.functions.has(`${domain}::${op}::${overload}`);
}

/** "ai.onnx" is the default domain's other name. */
function mergeDomainNames(graph: Graph): void {
  const { opsets } = graph.header;
  const named = opsets.get("ai.onnx");
  if (named !== undefined) {
    edit(graph, "merge-domain-names", (editor) => {
      editor.setOpset("ai.onnx", undefined);
      if (!opsets.has("")) editor.setOpset("", named);
    });
  }
  const nodes = [...graph.allNodes()].filter((node) => node.domain === "ai.onnx");
  if (nodes.length === 0) return;
  edit(graph, "merge-domain-names", (editor) => {
    for (const node of nodes) editor.setOp(node.id, node.op);
  });
}

function dropUnusedDomains(graph: Graph): void {
  const used = new Set([""]);
  for (const node of graph.allNodes()) used.add(node.domain);
  // What local functions use is not looked at here.
  if (graph.header.functions.size > 0) return;
  const unused = [...graph.header.opsets.keys()].filter((domain) => !used.has(domain));
  if (unused.length === 0) return;
  edit(graph, "drop-unused", (editor) => {
    for (const domain of unused) editor.setOpset(domain, undefined);
  });
}
