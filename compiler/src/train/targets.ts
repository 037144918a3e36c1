import type { Tensor, Tensors } from "@pare/runtime/format";
import type { Labels } from "./labels.js";
import type { Objective } from "./objectives.js";
import { gathered } from "./samples.js";
import { type Taught, TeacherAnswers } from "./teacher.js";
import type { TrainRequest } from "./train-request.js";
import { placesOf, targetName } from "./training-graph.js";

/** What the losses of a batch compare with, as feeds of its training graph. */
export class Targets {
  readonly #objectives: readonly Objective[];
  readonly #labels: Labels | null;
  readonly #batch: number;
  readonly #answers: TeacherAnswers | null;

  private constructor(
    { objectives, samples: { labels } }: TrainRequest,
    batch: number,
    answers: TeacherAnswers | null,
  ) {
    this.#objectives = objectives;
    this.#labels = labels;
    this.#batch = batch;
    this.#answers = answers;
  }

  /** The teacher is opened, and asked, where an objective wants its answers. */
  static async open(request: TrainRequest, batch: number): Promise<Targets> {
    const { objectives, teacher, samples, executor, signal, onTeacher } = request;
    const taught = objectives.flatMap(({ target, dims }): readonly Taught[] =>
      target.from === "teacher" ? [{ value: target.value, dims }] : [],
    );
    if (teacher === null || taught.length === 0) return new Targets(request, batch, null);
    const asked = { ...teacher, taught, samples, batch, executor, signal, onProgress: onTeacher };
    return new Targets(request, batch, await TeacherAnswers.open(asked));
  }

  async feeds(order: Int32Array, start: number): Promise<Tensors> {
    const answers = (await this.#answers?.batchOf(order, start)) ?? [];
    let taught = 0;
    const targets = this.#objectives.map((objective, index): [string, Tensor] => {
      const { loss, dims, target } = objective;
      const name = targetName(index);
      const shape = [this.#batch, ...dims];
      if (target.from === "teacher") {
        const data = answers[taught] ?? new Float32Array();
        taught += 1;
        return [name, { type: "float32", dims: shape, data }];
      }
      const labels = this.#labelsOf(order, start, this.#batch);
      const isClasses = loss.kind === "cross-entropy" && loss.targets === "classes";
      return isClasses
        ? [
            name,
            {
              type: "int64",
              dims: [this.#batch, ...placesOf(objective)],
              data: BigInt64Array.from(labels, BigInt),
            },
          ]
        : [name, { type: "float32", dims: shape, data: Float32Array.from(labels) }];
    });
    return Object.fromEntries(targets);
  }

  #labelsOf(order: Int32Array, start: number, count: number): readonly number[] {
    const labels = this.#labels;
    if (labels === null) return [];
    const type = labels.kind === "classes" ? "int32" : "float32";
    const row = labels.kind === "classes" ? 1 : labels.row;
    return Array.from(gathered(type, labels.values, row, order, start, count), Number);
  }

  /** How many of some samples have their class's score as the highest. @param scores a row for each */
  countRight(scores: Float32Array, order: Int32Array, start: number, count: number): number {
    return countRight(scores, this.#labelsOf(order, start, count));
  }

  async dispose(): Promise<void> {
    await this.#answers?.dispose();
  }
}

/** @param scores a row for each class that is right */
export function countRight(scores: Float32Array, classes: readonly number[]): number {
  const row = scores.length / classes.length;
  let right = 0;
  for (const [index, wanted] of classes.entries()) {
    let best = 0;
    for (let at = 1; at < row; at += 1)
      if ((scores[index * row + at] ?? 0) > (scores[index * row + best] ?? 0)) best = at;
    if (best === wanted) right += 1;
  }
  return right;
}
