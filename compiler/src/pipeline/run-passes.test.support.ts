import {
  type Executor,
  messageOf,
  PareError,
  relativeDistance,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { edit, type Graph, verifyGraph } from "../ir/index.js";
import type { Exactness, Pass, PassContext } from "./pass.js";

export interface Verification {
  /** Runs the model before and after; how it is written as a file is the caller's affair. */
  readonly executor: Executor;
  readonly encode: (graph: Graph) => Promise<Parameters<Executor["load"]>[0]>;
  /** Real or generated inputs, by name. */
  readonly samples: readonly Tensors[];
}

/** Largest difference over the largest value of an output, by what a pass declares; `lossy` passes are not compared. */
const tolerances: Readonly<Record<Exactness, number>> = {
  bitwise: 0,
  rounding: 1e-4,
  lossy: Infinity,
};

export interface NamedPass {
  readonly name: string;
  readonly pass: Pass;
}

/**
 * Runs passes one after another, each followed by a check of the graph's form. With `verify`, the numbers before and
 * after each pass are compared on the samples too.
 * @throws PareError PASS_FAILED naming the pass, and with `verify` the first tensor that differs
 */
export async function runPasses(
  graph: Graph,
  passes: readonly NamedPass[],
  context: PassContext,
  verify?: Verification,
): Promise<void> {
  let before = verify === undefined ? [] : await outputsOf(graph, verify);
  for (const [index, { name, pass }] of passes.entries()) {
    throwIfAborted(context.signal);
    context.onProgress?.(index / passes.length, name);
    const reference = verify === undefined ? undefined : graph.fork();
    await pass.run(graph, context);
    verifyGraph(graph, name);
    if (verify === undefined || reference === undefined) continue;
    const after = await outputsOf(graph, verify, name);
    const tolerance = tolerances[pass.exactness];
    if (
      before.some(
        (outputs, sample) => firstDifference(outputs, after[sample] ?? {}, tolerance) !== undefined,
      )
    ) {
      throw await located(name, tolerance, reference, graph, verify, before, after);
    }
    before = after;
  }
  context.onProgress?.(1, "done");
}

/**
 * Every name that both graphs still have is made an output and compared in order of execution: what differs first is
 * where the pass went wrong.
 */
async function located(
  name: string,
  tolerance: number,
  reference: Graph,
  graph: Graph,
  verify: Verification,
  before: readonly Tensors[],
  after: readonly Tensors[],
): Promise<PareError> {
  for (const [sample, outputs] of before.entries()) {
    const found = firstDifference(outputs, after[sample] ?? {}, tolerance);
    if (found === undefined) continue;
    const inner = await firstInnerDifference(reference, graph, verify, sample, tolerance);
    const { tensor, error } = inner ?? found;
    return new PareError(
      "PASS_FAILED",
      `The pass ${name} changes the tensor "${tensor}" by ${error.toExponential(1)} of its largest value, on sample ${sample}; ${tolerance} is allowed.`,
      {
        where: `${name} » ${tensor}`,
        hint: "This is an error of Pare: please report it with the model.",
      },
    );
  }
  return new PareError("INTERNAL", `The pass ${name} was said to differ, and does not.`);
}

async function firstInnerDifference(
  reference: Graph,
  graph: Graph,
  verify: Verification,
  sample: number,
  tolerance: number,
): Promise<Difference | undefined> {
  const shared = new Set(namesInOrder(reference));
  const common = namesInOrder(graph).filter((value) => shared.has(value));
  try {
    const [left, right] = [reference.fork(), graph.fork()];
    expose(left, common);
    expose(right, common);
    const feeds = verify.samples.slice(sample, sample + 1);
    const [a] = await outputsOf(left, { ...verify, samples: feeds });
    const [b] = await outputsOf(right, { ...verify, samples: feeds });
    const ordered = Object.fromEntries(
      common.flatMap((value) => (a?.[value] === undefined ? [] : [[value, a[value]]])),
    );
    return firstDifference(ordered, b ?? {}, tolerance);
  } catch {
    // An engine that cannot show inner values leaves the outputs to go by.
    return undefined;
  }
}

function namesInOrder(graph: Graph): readonly string[] {
  return graph
    .order()
    .flatMap((node) => node.outputs.flatMap((id) => (id === null ? [] : [graph.value(id).name])));
}

function expose(graph: Graph, names: readonly string[]): void {
  const wanted = new Set(names);
  const shown = new Set(graph.main.outputs.map((id) => graph.value(id).name));
  const ids = graph.order().flatMap((node) => node.outputs.filter((id) => id !== null));
  edit(
    graph,
    "expose",
    (editor) => {
      for (const id of ids) {
        const { name } = graph.value(id);
        if (!wanted.has(name) || shown.has(name)) continue;
        shown.add(name);
        editor.addOutput(id);
      }
    },
    { interface: true },
  );
}

interface Difference {
  readonly tensor: string;
  readonly error: number;
}

function firstDifference(
  before: Tensors,
  after: Tensors,
  tolerance: number,
): Difference | undefined {
  for (const [tensor, expected] of Object.entries(before)) {
    const actual = after[tensor];
    const error = actual?.type === expected.type ? relativeDistance(expected, actual) : Infinity;
    if (!(error <= tolerance)) return { tensor, error };
  }
  return undefined;
}

async function outputsOf(
  graph: Graph,
  { executor, encode, samples }: Verification,
  pass?: string,
): Promise<readonly Tensors[]> {
  if (samples.length === 0) return [];
  let session: Awaited<ReturnType<Executor["load"]>>;
  try {
    session = await executor.load(await encode(graph));
  } catch (error) {
    if (pass === undefined) throw error;
    throw new PareError(
      "PASS_FAILED",
      `After the pass ${pass} the engine refuses the model: ${messageOf(error)}`,
      { where: pass, cause: error },
    );
  }
  try {
    const results: Tensors[] = [];
    const known = new Set(session.inputs.map((input) => input.name));
    for (const feeds of samples)
      results.push(
        await session.run(
          Object.fromEntries(Object.entries(feeds).filter(([name]) => known.has(name))),
        ),
      );
    return results;
  } finally {
    await session.dispose();
  }
}
