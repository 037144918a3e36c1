import { availableParallelism, freemem, totalmem } from "node:os";
import { type EngineHost, type Hosts, openHosts } from "@pare/bench";
import { type Graph, isStatic } from "@pare/compiler";
import {
  dtypeBytes,
  elementCount,
  isPareError,
  messageOf,
  onnxArtifact,
  PareError,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { asPareError } from "../terminal/failure.js";
import { byteText } from "../terminal/words.js";
import { fittingSize } from "./fitting-size.js";
import type { OpenedModel } from "./opened-model.js";
import { noiseOf } from "./noise-of.js";
import { syntheticSamples } from "./synthetic-samples.js";

/** What the CPU engine said of a model that is about to be written. */
export type EngineCheck =
  | { readonly status: "ran"; readonly engine: string }
  | { readonly status: "loaded"; readonly engine: string; readonly reason: string }
  | { readonly status: "not checked"; readonly reason: string };

/** A model, its graph as it is to be written. */
export type CheckedModel = Pick<OpenedModel, "graph" | "inputs" | "read">;

export function notChecked(reason: string): EngineCheck {
  return { status: "not checked", reason };
}

export interface CheckLimits {
  /** To load, and so much more for each megabyte of its file and of its weights as floats. */
  readonly loadMs: number;
  readonly megabyteMs: number;
  readonly runMs: number;
}

/** What takes longer may be right and only slow. */
export const checkLimits: CheckLimits = { loadMs: 10_000, megabyteMs: 20, runMs: 5_000 };

/** The engine computes constants when it loads, and a stranger's file may ask it for a tensor of any size. */
const largestValueBytes = 2 ** 30;

/** Of a file: in this process, on the way to the engine, and there. Of what it computes of weights: as they are, and packed. */
const [copies, floatCopies] = [3, 2];

/** An engine's own words may quote a name of any length. */
const longestReason = 300;

/** The CPU engine: one that is open, or one of its own, which starts while the model is still worked on. */
export class EngineChecker {
  readonly #open: EngineHost | null;
  readonly #own: Promise<Hosts> | null;

  /** @param open an engine of the caller's; of another target it is of no use here */
  constructor(open?: EngineHost) {
    this.#open = open?.target === "cpu" ? open : null;
    this.#own = this.#open === null ? openHosts(["cpu"]) : null;
  }

  /**
   * Loads what was made of a model and runs it once on made-up inputs. When the engine refuses, it is asked of the model
   * as it was given.
   * @param made the bytes of its graph, as they are to be written
   * @throws PareError PASS_FAILED when it takes that one and not what was made of it, ENGINE_CRASHED when it ended itself on
   * that, ABORTED
   */
  async check(
    model: CheckedModel,
    made: Uint8Array,
    signal: AbortSignal,
    limits: CheckLimits = checkLimits,
  ): Promise<EngineCheck> {
    const largest = largestValue(model.graph);
    if (largest > largestValueBytes)
      return notChecked(`one value in it takes ${byteText(largest)}`);
    const unfolded = unfoldedBytes(model.graph);
    const needed = copies * made.byteLength + floatCopies * unfolded;
    const [free, total] = [freemem(), totalmem()];
    // Not all systems count what they would give up as free.
    if (needed > Math.max(free, total / 2))
      return notChecked(
        `the engine may need ${byteText(needed)} of memory for it, and of ${byteText(total)} here ${byteText(free)} are free`,
      );
    const own = await this.#own;
    const host = this.#open ?? own?.hosts.get("cpu");
    if (host === undefined)
      return notChecked(clause(own?.skipped[0]?.reason ?? "there is no engine"));
    let feeds = await madeUp(model);
    const loading = (bytes: Uint8Array): number =>
      limits.loadMs + (limits.megabyteMs * (bytes.byteLength + unfolded)) / 1e6;
    const ask = (bytes: Uint8Array): Promise<Attempt> =>
      attempt(host, bytes, feeds, signal, { loadMs: loading(bytes), runMs: limits.runMs });
    let asMade = await ask(made);
    if (asMade.refused && asMade.reached === stages.loaded && feeds !== null) {
      // Ones may point behind the last of few: zeros are places that all have.
      const zeroed = withoutPlaces(feeds);
      if (zeroed !== null) {
        feeds = zeroed;
        asMade = await ask(made);
      }
    }
    if (!asMade.refused) return answer(host, asMade);
    const bytes = await bytesOf(model);
    if (bytes === null)
      return answer(host, {
        ...asMade,
        reason: `${asMade.reason}, and the model as it was given is too large to ask of it`,
      });
    const given = await ask(bytes);
    if (given.reached <= asMade.reached) {
      const same = given.refused ? "and so for" : "and there was no answer in time for";
      return answer(host, {
        ...asMade,
        reason: `${asMade.reason}, ${same} the model as it was given`,
      });
    }
    if (asMade.crashed) {
      throw new PareError(
        "ENGINE_CRASHED",
        `The CPU engine takes the model that was given, and ended itself on what was made of it: ${asMade.reason}.`,
        {
          where: host.engine,
          hint: "Nothing was written. Where memory was not short, the bug is the engine's own: no file should end it. --no-check writes the file all the same, for other engines.",
        },
      );
    }
    const bug = "is a bug in Pare: please report it, with the model if you can";
    const whose = given.refused
      ? `The model that was given loads and does not run on made-up inputs either (${given.reason}): it may be broken itself. Where it runs on yours, this ${bug}`
      : `This ${bug}`;
    throw new PareError(
      "PASS_FAILED",
      `The CPU engine takes the model that was given, and not what was made of it: ${asMade.reason}.`,
      {
        where: host.engine,
        hint: `Nothing was written. ${whose}. --no-check writes the file all the same.`,
      },
    );
  }

  async dispose(): Promise<void> {
    await (await this.#own)?.dispose();
  }
}

/** As the model was given; null where that is too much to be held at once. */
async function bytesOf(model: CheckedModel): Promise<Uint8Array | null> {
  try {
    return (await model.read()).bytes;
  } catch (error) {
    const { code } = asPareError(error);
    if (code === "MODEL_LIMIT" || code === "NO_MEMORY") return null;
    throw error;
  }
}

/** How far a model came. */
const stages = { nothing: 0, loaded: 1, ran: 2 } as const;

interface Attempt {
  readonly reached: (typeof stages)[keyof typeof stages];
  /** By the engine; else it was slow, or there was nothing to run it on. */
  readonly refused: boolean;
  /** Did its process end by itself? */
  readonly crashed: boolean;
  /** Why it came no further. */
  readonly reason: string;
}

async function attempt(
  host: EngineHost,
  bytes: Uint8Array,
  feeds: Tensors | null,
  signal: AbortSignal,
  { loadMs, runMs }: Pick<CheckLimits, "loadMs" | "runMs">,
): Promise<Attempt> {
  let reached: Attempt["reached"] = stages.nothing;
  try {
    const model = await host.load(onnxArtifact(bytes), {
      threads: availableParallelism(),
      signal,
      limitMs: loadMs,
    });
    reached = stages.loaded;
    if (feeds === null)
      return { reached, refused: false, crashed: false, reason: "its inputs cannot be made up" };
    try {
      await host.run(model, feeds, { signal, limitMs: runMs });
    } finally {
      await host.unload(model);
    }
    return { reached: stages.ran, refused: false, crashed: false, reason: "" };
  } catch (error) {
    throwIfAborted(signal);
    const late = isLate(error);
    const crashed = !late && isPareError(error) && error.code === "ENGINE_CRASHED";
    return { reached, refused: !late, crashed, reason: clause(messageOf(error)) };
  }
}

/** Was the engine ended because it took too long? Of an engine that ended by itself there is no cause. */
function isLate(error: unknown): boolean {
  return isPareError(error) && isPareError(error.cause) && error.cause.code === "ABORTED";
}

function answer({ engine }: EngineHost, { reached, reason }: Attempt): EngineCheck {
  if (reached === stages.ran) return { status: "ran", engine };
  if (reached === stages.loaded) return { status: "loaded", engine, reason };
  return notChecked(reason);
}

/** Null for what is no tensor, too large, or of a type that nothing is made up for. */
async function madeUp(model: CheckedModel): Promise<Tensors | null> {
  try {
    const { inputs } = model;
    const usual = await fittingSize(model.graph, inputs);
    return (await syntheticSamples(inputs, 0, { usual, noise: noiseOf(model.graph) }).sample(0))
      .feeds;
  } catch {
    return null;
  }
}

/** With zeros for integers; null where there are none. */
function withoutPlaces(feeds: Tensors): Tensors | null {
  const entries = Object.entries(feeds);
  if (!entries.some(([, { data }]) => data instanceof BigInt64Array)) return null;
  return Object.fromEntries(
    entries.map(([name, tensor]) => {
      const { data } = tensor;
      if (!(data instanceof BigInt64Array)) return [name, tensor];
      return [name, { ...tensor, data: new BigInt64Array(data.length) }];
    }),
  );
}

/** Bytes of all weights as floats: an engine computes what stored integers stand for when it loads. */
function unfoldedBytes(graph: Graph): number {
  let bytes = 0;
  for (const { constant } of graph.allValues())
    bytes += dtypeBytes("float32", constant?.count ?? 0);
  return bytes;
}

/** Bytes of the largest value that is computed and whose shape is known. */
function largestValue(graph: Graph): number {
  let largest = 0;
  for (const { type, constant } of graph.allValues()) {
    if (constant !== undefined || type.kind !== "tensor") continue;
    const { dtype, shape } = type;
    if (dtype === undefined || dtype === "string" || shape === undefined || !isStatic(shape))
      continue;
    largest = Math.max(largest, dtypeBytes(dtype, elementCount(shape)));
  }
  return largest;
}

/** The first line of a message, to stand within a sentence. */
function clause(message: string): string {
  const [line = ""] = message.split("\n");
  const short = line.length > longestReason ? `${line.slice(0, longestReason)} …` : line;
  return short.replace(/\.$/, "");
}

/** For the summary, after what was written. */
export function checkText(check: EngineCheck): string {
  switch (check.status) {
    case "ran":
      return `runs on ${check.engine}`;
    case "loaded":
      return `loads on ${check.engine}, but was not run: ${check.reason}`;
    case "not checked":
      return `not checked: ${check.reason}`;
    default:
      return check satisfies never;
  }
}
