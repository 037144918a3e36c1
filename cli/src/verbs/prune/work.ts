import { countNominalMacs, countParameters, type Graph, nominalSize } from "@pare/compiler";
import { isPareError } from "@pare/runtime/format";
import { countText } from "../../terminal/words.js";
import { simplified } from "../../workbench/simplified.js";

export interface Work {
  /** Null where they cannot be counted. */
  readonly macs: number | null;
  readonly parameters: number;
}

/** Of a model as it came: what exporters compute sizes with hides them, and is folded away to count. */
export async function workBefore(graph: Graph): Promise<Work> {
  const work = workOf(graph);
  return { ...work, macs: work.macs ?? macsOf(await simplified(graph)) };
}

export function workOf(graph: Graph): Work {
  return { macs: macsOf(graph), parameters: countParameters(graph) };
}

function macsOf(graph: Graph): number | null {
  try {
    return countNominalMacs(graph);
  } catch (error) {
    if (isPareError(error) && error.code === "UNSUPPORTED_OP") return null;
    throw error;
  }
}

export function workText(before: Work, after: Work, graph: Graph): string {
  const size = hasFreeSizes(graph) ? nominalSize(graph) : null;
  const free = size === null ? "" : `, free sizes taken as ${size}`;
  const macs =
    before.macs === null || after.macs === null
      ? "not counted"
      : `${changeText(before.macs, after.macs)}${free}`;
  return `Multiply-accumulates ${macs}; parameters ${changeText(before.parameters, after.parameters)}.`;
}

function changeText(before: number, after: number): string {
  const share = before === 0 ? "" : ` (${((100 * after) / before).toFixed(1)} %)`;
  return `${countText(before)} → ${countText(after)}${share}`;
}

function hasFreeSizes(graph: Graph): boolean {
  return graph.main.inputs.some((id) => {
    const { type } = graph.value(id);
    return type.kind === "tensor" && type.shape?.slice(1).some((size) => typeof size !== "number");
  });
}
