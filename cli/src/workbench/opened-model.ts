import type { BindShapesOptions, Dim, Graph, ModelSource, Node } from "@pare/compiler";
import { fileHash, isPareError, PareError, type ValueInfo } from "@pare/runtime/format";
import { modelInputs, modelName, modelOutputs, openModelFile } from "../platform/open-model.js";
import { inFile } from "./in-file.js";
import { shownPath } from "../terminal/shown-path.js";

/** A model as it is to be measured: with the shapes that were asked for. */
export interface OpenedModel {
  /** As reports name it: from the current folder. */
  readonly path: string;
  readonly name: string;
  readonly graph: Graph;
  readonly sizeBytes: number;
  /** @throws PareError MODEL_INVALID where one is no tensor; so do outputs */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Inputs that became constants, with their numbers: `--const`. */
  readonly constants: BindShapesOptions["constants"];
  /** What of it is not as its file has it, because no engine here could run that, and what cannot be measured: sentences. */
  readonly notes: readonly string[];
  /** All of it in memory; read once. */
  read(): Promise<WholeModel>;
  close(): void;
}

interface WholeModel {
  /** One ONNX file: as it is on disk, or written anew where it was in several or in another format, or constants or other shapes were set. */
  readonly bytes: Uint8Array;
  /** Of the file on disk, where that is one ONNX file; else of the one that holds all of it. */
  readonly sha256: string;
}

/**
 * What to do about shapes, dims and constants that a model has no input for: a candidate may be what was compiled with
 * them, so that they are in it already.
 */
type Unfitting = "refuse" | "skip";

/** @throws PareError MODEL_*, EXTERNAL_DATA, ARGUMENT for shapes that do not fit */
export async function openModel(
  path: string,
  shapes: BindShapesOptions,
  signal?: AbortSignal,
  unfitting: Unfitting = "refuse",
): Promise<OpenedModel> {
  const file = openModelFile(path);
  try {
    return await inFile(path, () =>
      openModelSource(path, file.source, shapes, signal, unfitting, () => file.close()),
    );
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The same of a model that is not a file of its own. @param label how reports name it */
export async function openModelSource(
  label: string,
  source: ModelSource,
  asked: BindShapesOptions,
  signal?: AbortSignal,
  unfitting: Unfitting = "refuse",
  close: () => void = () => {},
): Promise<OpenedModel> {
  const compiler = await import("@pare/compiler");
  const { encodeModel, findPass, formatOf, importModel, outputsToTensors, randomNodes } = compiler;
  let outputNotes: readonly string[] = [];
  const bound = async (wanted: BindShapesOptions): Promise<Graph> => {
    const graph = await importModel(source, { signal });
    outputNotes = outputsToTensors(graph);
    const bind = findPass("bind-shapes");
    await bind.create(bind.parse(wanted)).run(graph, signal === undefined ? {} : { signal });
    return graph;
  };
  const anyAsked = Object.values(asked).some((group) => Object.keys(group).length > 0);
  const declared = anyAsked ? declaredInputs(await importModel(source, { signal })) : [];
  const shapes = unfitting === "skip" ? await fittingShapes(declared, asked) : asked;
  const graph = await bound(shapes);
  const besideBytes = [...source.beside.values()].reduce((sum, { size }) => sum + size, 0);
  const inOneFile = formatOf(source.name) === "onnx" && source.beside.size === 0;
  const { constants } = shapes;
  const overriding = overriddenShapes(declared, shapes.shapes);
  const rewritten =
    outputNotes.length > 0 ||
    !inOneFile ||
    Object.keys(constants).length > 0 ||
    Object.keys(overriding).length > 0;
  const readAll = async (): Promise<WholeModel> => {
    const file = await source.main.read(0, source.main.size);
    // Free dims stay free, as its user has them: what is bound is the graph that is compiled. A number that the file
    // declares and the user overrides has to go: engines refuse feeds of another size.
    const whole = rewritten
      ? await encodeModel(await bound({ shapes: overriding, dims: {}, constants })).catch(
          (error: unknown) => {
            throw isPareError(error) && error.code === "MODEL_LIMIT" ? tooLarge(label) : error;
          },
        )
      : null;
    return {
      bytes: whole?.proto ?? file,
      sha256: await fileHash(!inOneFile && whole !== null ? whole.proto : file),
    };
  };
  let held: Promise<WholeModel> | null = null;
  return {
    path: shownPath(label),
    name: modelName(label),
    graph,
    constants,
    sizeBytes: source.main.size + besideBytes,
    notes: [
      ...outputNotes,
      ...compiler.lostConstants(graph),
      ...compiler.lostDefaults(graph),
      ...compiler.misreadNotes(graph),
      ...drawnNotes(randomNodes(graph)),
    ],
    // Asked for when they are needed: a model with other things than tensors can be inspected, simplified and converted.
    get inputs() {
      return modelInputs(graph);
    },
    get outputs() {
      return modelOutputs(graph);
    },
    read: () => (held ??= readAll()),
    close,
  };
}

function tooLarge(label: string): PareError {
  return new PareError(
    "MODEL_LIMIT",
    `${shownPath(label)} takes 2 GB or more with its weights: so much is not run here.`,
    {
      where: shownPath(label),
      hint: "pare simplify, convert and quantize take it all the same. What quantize --mode fp16, or --mode weights, writes may be small enough.",
    },
  );
}

/** An input of a file, also one that has a default; without dims where it is no tensor or they are not known. */
interface DeclaredInput {
  readonly name: string;
  readonly shape: readonly Dim[];
}

function declaredInputs(graph: Graph): readonly DeclaredInput[] {
  return graph.main.inputs.map((id) => {
    const { name, type } = graph.value(id);
    return { name, shape: type.kind === "tensor" ? (type.shape ?? []) : [] };
  });
}

/** The shapes that change a number which the file declares, by input. */
function overriddenShapes(
  declared: readonly DeclaredInput[],
  shapes: BindShapesOptions["shapes"],
): BindShapesOptions["shapes"] {
  return Object.fromEntries(
    Object.entries(shapes).filter(([name, sizes]) =>
      declared
        .find((input) => input.name === name)
        ?.shape.some((size, axis) => typeof size === "number" && size !== sizes[axis]),
    ),
  );
}

async function fittingShapes(
  declared: readonly DeclaredInput[],
  { shapes, dims, constants }: BindShapesOptions,
): Promise<BindShapesOptions> {
  const { dim } = await import("@pare/compiler");
  const names = new Set(declared.map(({ name }) => name));
  const symbols = new Set<string>();
  for (const { shape } of declared) for (const size of shape) dim.symbolsOf(size, symbols);
  return {
    shapes: only(shapes, names),
    dims: only(dims, symbols),
    constants: only(constants, names),
  };
}

function only<T>(
  group: Readonly<Record<string, T>>,
  known: ReadonlySet<unknown>,
): Record<string, T> {
  return Object.fromEntries(Object.entries(group).filter(([name]) => known.has(name)));
}

/** Two runs differ where numbers are drawn: what a candidate lost cannot be told from that. */
function drawnNotes(nodes: readonly Node[]): readonly string[] {
  if (nodes.length === 0) return [];
  const operators = [...new Set(nodes.map(({ op }) => op))].join(", ");
  return [
    `It draws random numbers (${operators}): where they reach an output, two runs differ, no accuracy tells what was lost there, and no device can be proved right in it. A predict in the data module can read what they do not reach; an input that scales the noise can be made 0 (--const).`,
  ];
}
