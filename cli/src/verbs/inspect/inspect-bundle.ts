import { join } from "node:path";
import { judgedBy } from "@pare/bench";
import {
  describeValue,
  downloadedFiles,
  type Manifest,
  type NodeWhy,
  type Report,
  type VariantEntry,
  visibleLine,
} from "@pare/runtime/format";
import { readManifest, readReport } from "../../platform/bundle-files.js";
import { demandIntact } from "../../platform/demand-intact.js";
import { byteText, countText, millisecondText, tableText } from "../../terminal/words.js";
import { openModel } from "../../workbench/opened-model.js";
import { graphFacts, type GraphFacts } from "./graph-facts.js";

/** What `pare inspect model.pare` says. @throws PareError BUNDLE_*; INTEGRITY for files that are not as they were written */
export async function inspectBundle(
  path: string,
  why: boolean,
  signal: AbortSignal,
): Promise<{ text: string; document: unknown }> {
  const manifest = await readManifest(path);
  await demandIntact(path, manifest, signal);
  const report = why ? await readReport(path) : null;
  const variants = await variantsOf(path, manifest, signal);
  const text = [
    summary(path, manifest),
    ...variants.map(madeOfText),
    ...(why ? [whyText(report)] : []),
  ];
  return {
    text: text.join("\n\n"),
    document: {
      manifest,
      variants,
      ...(why && { why: report?.why ?? [], steps: report?.steps ?? [] }),
    },
  };
}

/** What a variant's file is made of; a module is code. */
interface VariantFacts extends GraphFacts {
  readonly id: string;
}

async function variantsOf(
  bundle: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<readonly VariantFacts[]> {
  const all: VariantFacts[] = [];
  for (const { id, format, files } of manifest.variants) {
    const [file] = files;
    if (format !== "onnx" || file === undefined) continue;
    const model = await openModel(
      join(bundle, file.path),
      { shapes: {}, dims: {}, constants: {} },
      signal,
    );
    try {
      all.push({ id, ...graphFacts(model.graph, null) });
    } finally {
      model.close();
    }
  }
  return all;
}

function madeOfText({ id, opsets, nodes, operators, parameters, macs }: VariantFacts): string {
  const said = Object.entries(opsets).map(
    ([domain, version]) => `${visibleLine(domain)} ${version}`,
  );
  const counts = operators.map(({ op, count }) => `${count} × ${visibleLine(op)}`);
  const work = macs === null ? "MACs unknown: a shape is free" : `${countText(macs)} MACs`;
  return `${id}\n  ${said.join(", ")}; ${nodes} nodes, ${countText(parameters)} parameters, ${work}\n  ${counts.join(", ")}`;
}

function summary(path: string, manifest: Manifest): string {
  const head = tableText(
    [
      ["bundle", path],
      ["name", manifest.name],
      ["identity", manifest.identity],
      ["created by", manifest.createdBy],
      [
        "float model",
        `${byteText(manifest.source.bytes)}, ${countText(manifest.source.parameters)} parameters`,
      ],
      ...manifest.inputs.map((info) => [`input ${info.name}`, describeValue(info)]),
      ...manifest.outputs.map((info) => [`output ${info.name}`, describeValue(info)]),
    ],
    new Set([0, 1]),
  );
  const rows = [
    ["target", "precision", "bytes", judgedBy(manifest), "latency", "evidence"],
    ...manifest.variants.map(variantRow),
  ];
  return `${head}\n\n${tableText(rows, new Set([0, 1, 5]))}`;
}

function variantRow(variant: VariantEntry): string[] {
  const { accuracy, latencyMs } = variant;
  return [
    variant.target,
    variant.precision,
    byteText(
      downloadedFiles(variant, ({ path }) => path).reduce((sum, { bytes }) => sum + bytes, 0),
    ),
    accuracy === null ? "–" : `${accuracy.metric} ${accuracy.value.toPrecision(4)}`,
    "unmeasured" in latencyMs ? "–" : millisecondText(latencyMs.p50),
    variant.evidence,
  ];
}

function whyText(report: Report | null): string {
  if (report === null)
    return "There is no report.json in this bundle: what was done to each node is not known.";
  const steps = report.steps.map(({ target, name, verdict, reason }) => [
    target,
    name,
    verdict,
    reason,
  ]);
  const changed = nodeTable(report.why, "changed");
  const left = nodeTable(report.why, "left");
  return [
    `steps\n${tableText(steps, new Set([0, 1, 2, 3])) || "none"}`,
    `changed\n${changed || "nothing"}`,
    `left alone\n${left || "nothing"}`,
  ].join("\n\n");
}

function nodeTable(why: readonly NodeWhy[], what: NodeWhy["what"]): string {
  return tableText(
    why
      .filter((entry) => entry.what === what)
      .map(({ target, node, op, rule, reason }) => [target, op, node, rule, reason]),
    new Set([0, 1, 2, 3, 4]),
  );
}
