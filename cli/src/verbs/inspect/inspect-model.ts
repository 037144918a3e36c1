import {
  type BindShapesOptions,
  type Graph,
  obstacleText,
  type Sizes,
  supportOf,
  type TargetSupport,
  targets,
} from "@pare/compiler";
import { describeValue, PareError } from "@pare/runtime/format";
import { type Described, describeInterface } from "../../platform/open-model.js";
import { checkSizes } from "../../workbench/check-sizes.js";
import { openModel } from "../../workbench/opened-model.js";
import { byteText, countText, tableText } from "../../terminal/words.js";
import { graphFacts, type GraphFacts, onceSimplified } from "./graph-facts.js";

/** What `pare inspect model.onnx` says of the file as it was read. @throws PareError MODEL_* */
export async function inspectModel(
  path: string,
  { sizes, ...shapes }: BindShapesOptions & { readonly sizes: Sizes },
  why: boolean,
  signal: AbortSignal,
): Promise<{ text: string; document: unknown }> {
  if (why) {
    throw new PareError(
      "ARGUMENT",
      "--why needs a bundle: a model says nothing of what was done to it.",
      {
        where: "--why",
        hint: "Name the .pare folder that pare optimize wrote.",
      },
    );
  }
  const model = await openModel(path, shapes, signal);
  try {
    checkSizes(model, sizes);
    const { graph } = model;
    const form = await onceSimplified(graph);
    const facts = {
      model: path,
      bytes: model.sizeBytes,
      irVersion: Number(graph.header.irVersion),
      producer: [graph.header.producerName, graph.header.producerVersion]
        .filter((part) => part !== "")
        .join(" "),
      ...(await describeInterface(graph)),
      ...(model.notes.length > 0 && { notes: model.notes }),
      ...graphFacts(graph, form),
      targets: await targetsOf(graph, form, sizes),
    };
    return { text: factsText(facts), document: facts };
  } finally {
    model.close();
  }
}

/**
 * Engines are asked about what is written for them: what exporters compute sizes with is gone then. A target that takes whole
 * models brings them into its own form.
 */
async function targetsOf(
  graph: Graph,
  form: Graph | null,
  sizes: Sizes,
): Promise<readonly TargetSupport[]> {
  return Promise.all(
    targets.map((target) =>
      supportOf(target.obstacles === undefined ? (form ?? graph) : graph, target, sizes),
    ),
  );
}

interface Facts extends GraphFacts {
  readonly model: string;
  readonly bytes: number;
  readonly producer: string;
  readonly inputs: readonly Described[];
  readonly outputs: readonly Described[];
  readonly notes?: readonly string[];
  readonly targets: readonly TargetSupport[];
}

function factsText(facts: Facts): string {
  const opsets = Object.entries(facts.opsets).map(([domain, version]) => `${domain} ${version}`);
  const macs =
    facts.macs === null
      ? "unknown: a shape is free (fix it with --shape or --dim)"
      : countText(facts.macs);
  const head = tableText(
    [
      ["model", facts.model],
      ["size", byteText(facts.bytes)],
      ["producer", facts.producer || "not given"],
      ["opsets", opsets.join(", ")],
      ["parameters", countText(facts.parameters)],
      ["MACs", macs],
      ["nodes", String(facts.nodes)],
    ],
    new Set([0, 1]),
  );
  const operators = facts.operators.map(({ op, domain, count, macs: own }) => [
    `  ${domain === "" ? op : `${domain}.${op}`}`,
    String(count),
    own === null ? "?" : own === 0 ? "" : `${countText(own)} MACs`,
  ]);
  return [
    head,
    valueTable("inputs", facts.inputs),
    valueTable("outputs", facts.outputs),
    ...(facts.notes ?? []).map((note) => `note: ${note}`),
    `operators\n${tableText(operators)}`,
    `targets\n${facts.targets.map(supportText).join("\n")}`,
  ].join("\n\n");
}

/** A size that is computed of others by a longer formula says nothing to a reader. */
const longestFormula = 40;

function valueTable(title: string, values: readonly Described[]): string {
  const rows = values.map((info) => {
    if (info.dims === null) return [`  ${info.name}`, info.type];
    const dims = info.dims.map((dim) => (String(dim).length > longestFormula ? null : dim));
    return [`  ${info.name}`, describeValue({ ...info, dims })];
  });
  return `${title}\n${tableText(rows, new Set([0, 1]))}`;
}

/** Of a model whose nodes would do, what stands against it is told below. */
function nodesText(count: number): string {
  if (count === 0) return "as it is";
  return count === 1 ? "1 node" : `${count} nodes`;
}

function supportText({ label, obstacles, assumption }: TargetSupport): string {
  const settled = assumption === undefined ? [] : [`    ${assumption}`];
  if (obstacles.length === 0) return [`  ${label}: every node`, ...settled].join("\n");
  const reasons = obstacles.map((obstacle) => `    ${obstacleText(obstacle)}`);
  const without = obstacles.reduce((sum, { of, count }) => sum + (of === "nodes" ? count : 0), 0);
  return [`  ${label}: not ${nodesText(without)}`, ...reasons, ...settled].join("\n");
}
