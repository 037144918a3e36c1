import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { EngineHost } from "@pare/bench";
import type { DistillOptions, Graph, Step } from "@pare/compiler";
import { type Accuracy, PareError } from "@pare/runtime/format";
import { prepareEvaluation } from "../evaluation.js";
import type { WorkOutput } from "../../terminal/output.js";
import type { OpenedModel } from "../opened-model.js";
import { type ModelFacts, type StepsRequest, writeSteps, type Written } from "../run-steps.js";
import { demandWritable } from "../../platform/demand-writable.js";
import { ExpectedTime, runShare } from "./expected-time.js";
import { AccuracyTest, type Tested } from "./tested-accuracy.js";
import {
  learningRuns,
  passOptions,
  type TrainingOptions,
  trainWithCheckpoints,
} from "./train-with-checkpoints.js";
import type { TrainingData } from "./training-data.js";
import { wholeGraph } from "./whole-graph.js";

export interface TeachRequest extends Pick<StepsRequest, "suffix" | "check" | "say" | "signal"> {
  /** The file that is read; what is written has the graph that was taught. */
  readonly model: OpenedModel;
  /** What is said of it beside what is written. */
  readonly before: ModelFacts;
  /** An ONNX file in normal form. */
  readonly student: Uint8Array;
  readonly teacher: Uint8Array | null;
  readonly samples: TrainingData;
  readonly options: TrainingOptions;
  /** Of the trained graph, before it is written. */
  readonly steps: readonly Step[];
  readonly output: string;
  /** Its outputs say which metric fits, where none is named. */
  readonly judged: OpenedModel;
  /** Tested too, the first as what the others are compared with. */
  readonly beside: readonly Tested[];
  /** What the taught model is called among them. */
  readonly called: string;
  /** Tests. */
  readonly host: EngineHost;
}

export interface Taught extends Written {
  readonly graph: Graph;
  /** On the test samples; empty where nothing can be tested. */
  readonly tested: ReadonlyMap<string, Accuracy>;
}

/**
 * Trains a model on samples, writes it, and tests it beside others. They are tested before the first step: a metric that
 * does not fit the data costs no training; nor does a place that cannot be written to. What is wrong with labels, signals or
 * a checkpoint costs no test either.
 * @throws PareError as `demandWritable`, `demandApart`, `prepareEvaluation`, `trainWithCheckpoints` and `writeSteps`
 */
export async function teach(request: TeachRequest): Promise<Taught> {
  const { model, samples, options, beside, called, host, say, signal } = request;
  const { data, learnedFrom } = samples;
  const { metric, seed, checkpoint } = options;
  await demandWritable(request.output);
  if (checkpoint !== undefined) {
    await demandWritable(checkpoint);
    demandApart(checkpoint, request.output);
  }
  const asked = { metric, labelsOf: options.labelsOf };
  const evaluation = await prepareEvaluation(request.judged, data, asked, seed, host, { signal });
  if (evaluation.note !== null) say.note(evaluation.note);
  const accuracy = new AccuracyTest(evaluation, host, signal);
  const testCount = data.splits.test.length;
  const pass = passOptions(options);
  const learning = learningRuns(pass, learnedFrom.length, data.splits.validation.length);
  const runs = {
    test: testCount,
    tests: beside.length + 1,
    learning: learning * runShare(await wholeGraph(request.student), request.judged.graph),
  };
  const expected = new ExpectedTime(runs, say);
  const test = (one: Tested): Promise<void> =>
    accuracy.add(one, (done) => {
      expected.ran(done * testCount);
      say.progress(done, "testing");
    });
  sayWhereItIsLittle(pass, learnedFrom.length, say);
  const testBeside = async (): Promise<void> => {
    for (const one of beside) await test(one);
  };
  const leftAt = `${request.output}.checkpoint.safetensors`;
  const training = { ...request, data, learnedFrom, leftAt };
  const { trained, graph, written } = await trainWithCheckpoints(
    training,
    testBeside,
    async (trained) => {
      const graph = await wholeGraph(trained.student);
      const written = await writeSteps({ ...request, model: { ...model, graph } });
      return { trained, graph, written };
    },
  );
  await test({ name: called, bytes: trained.student });
  if (checkpoint !== undefined) await rm(checkpoint, { force: true });
  const { history, steps, batch, engine } = trained;
  return {
    graph,
    tested: accuracy.tested,
    text: written.text,
    document: {
      ...written.document,
      training: { epochs: history, steps, batch, engine, seed },
      data: evaluation.report,
      accuracy: Object.fromEntries(accuracy.tested),
    },
  };
}

/** @throws PareError ARGUMENT: a checkpoint is removed when the model is written */
function demandApart(checkpoint: string, output: string): void {
  if (resolve(checkpoint) !== resolve(output)) return;
  throw new PareError("ARGUMENT", "The checkpoint and the model would be the same file.", {
    where: "--checkpoint",
    hint: "Name another file: it is removed when the model is written.",
  });
}

/** Fewer steps than this hardly change a model. */
const fewSteps = 100;

/** Who goes by an example of few samples gets a model that has learned nothing, and is to know why. */
function sayWhereItIsLittle(
  { epochs, batch }: Pick<DistillOptions, "epochs" | "batch">,
  samples: number,
  say: WorkOutput,
): void {
  const steps = epochs * Math.max(1, Math.floor(samples / batch));
  if (steps >= fewSteps) return;
  const enough = Math.ceil((epochs * fewSteps) / steps);
  say.note(
    `These are ${steps} ${steps === 1 ? "step" : "steps"} of training, which teach little: ${enough} epochs would be ${fewSteps} steps or more, and more samples are better.`,
  );
}
