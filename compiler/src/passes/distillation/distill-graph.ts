import { edit, type Graph, Tensor } from "../../ir/index.js";
import type { PassContext } from "../../pipeline/pass.js";
import { learnedConstants, leaveUnlearned, trainedConstants } from "../../train/parameters.js";
import { trainingAccount } from "../../train/account.js";
import type { Trained } from "../../train/train-request.js";
import { untieVectors } from "../../train/untie-vectors.js";
import { bringToTrainable } from "./bring-to-trainable.js";
import type { DistillOptions } from "./options.js";
import { type DistillServices, servicesOf, teach } from "./teach.js";

const where = "distill";

/**
 * Trains a graph in place: its weights change, and nothing else, but that vectors which were one by chance are several.
 * @throws PareError as `teach` and `trainedConstants`
 */
export async function distillGraph(
  graph: Graph,
  options: DistillOptions,
  services: DistillServices,
): Promise<Trained> {
  await bringToTrainable(graph);
  untieVectors(graph);
  // Before anything is read: what cannot be trained is said at once.
  const learned = learnedConstants(graph, options.learn);
  const trained = trainedConstants(graph, learned, options.freeze);
  const left = leaveUnlearned(graph, options.learn, where);
  if (left !== null) services.onNote?.(left);
  const result = await teach({ graph, learned, trained, where }, options, services);
  keepLearned(graph, result, where);
  return result;
}

/** As a step of a recipe. */
export async function distillInContext(
  graph: Graph,
  options: DistillOptions,
  context: PassContext,
): Promise<void> {
  const trained = await distillGraph(graph, options, servicesOf(context, where));
  context.onAccount?.(trainingAccount(trained));
}

/** Puts what was learned into the graph that holds the constants. */
export function keepLearned(
  graph: Graph,
  { learned, history, steps }: Pick<Trained, "learned" | "history" | "steps">,
  pass: string,
): void {
  const [first, last] = [history[0], history.at(-1)].map((epoch) => epoch?.loss.toPrecision(3));
  const said = `trained in ${steps} steps, loss ${first} in the first epoch and ${last} in the last`;
  edit(graph, pass, (editor) => {
    for (const { constant, values } of learned) {
      editor.setConstant(constant.value, Tensor.float32(constant.tensor.dims, values));
      if (constant.as === "weight") editor.note(constant.reader, said);
    }
  });
}
