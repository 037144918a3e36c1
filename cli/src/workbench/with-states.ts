import type { EngineHost } from "@pare/bench";
import {
  onnxArtifact,
  PareError,
  type SampleSet,
  type Sequences,
  type Tensors,
} from "@pare/runtime/format";
import type { OpenedModel } from "./opened-model.js";

/**
 * Samples for whoever looks at them one by one, in any order: at the steps of sequences, the state is the one that the model
 * itself comes there with. Other samples are as they were.
 * @param indexes of those that will be looked at
 * @throws PareError DATA_MODULE where what is named as the state is no output of the model, or does not fit its input
 */
export async function withStates(
  samples: SampleSet,
  indexes: readonly number[],
  model: OpenedModel,
  host: EngineHost,
  signal?: AbortSignal,
): Promise<SampleSet> {
  const { sequences } = samples;
  if (sequences === undefined) return samples;
  checkState(model, sequences.state);
  const before = indexes
    .filter((index) => sequences.startOf(index) < index)
    .map((index) => index - 1);
  const states = new Map<number, Tensors>();
  if (before.length > 0) {
    const loaded = await host.load(onnxArtifact((await model.read()).bytes), { signal });
    const keep = (outputs: Tensors, _: unknown, position: number): void => {
      const state = Object.entries(sequences.state).flatMap(([output, input]) => {
        const made = outputs[output];
        return made === undefined ? [] : [[input, made] as const];
      });
      states.set((before[position] ?? 0) + 1, Object.fromEntries(state));
    };
    try {
      await host.runSamples(loaded, samples, before, keep, { signal });
    } finally {
      await host.unload(loaded).catch(() => {}); // gone with its engine, which has been reported
    }
  }
  return {
    size: samples.size,
    labelled: samples.labelled,
    info: (index) => samples.info(index),
    async sample(index) {
      const sample = await samples.sample(index);
      return { ...sample, feeds: { ...sample.feeds, ...states.get(index) } };
    },
  };
}

function checkState({ inputs, outputs }: OpenedModel, state: Sequences["state"]): void {
  for (const [from, to] of Object.entries(state)) {
    const output = outputs.find(({ name }) => name === from);
    const input = inputs.find(({ name }) => name === to);
    const names = outputs.map(({ name }) => `"${name}"`).join(", ");
    if (output === undefined || input === undefined)
      throw refused(
        `\`state\` names the output "${from}", which the model does not have.`,
        `Export { outputName: "inputName" }. The model's outputs are ${names}.`,
      );
    const fits =
      output.type === input.type &&
      output.dims.length === input.dims.length &&
      output.dims.every((dim, axis) => {
        const other = input.dims[axis];
        return typeof dim !== "number" || typeof other !== "number" || dim === other;
      });
    if (!fits)
      throw refused(
        `What the output "${from}" gives does not fit the input "${to}" that \`state\` feeds it to.`,
        "Name the output that has the input's type and shape.",
      );
  }
}

function refused(message: string, hint: string): PareError {
  return new PareError("DATA_MODULE", message, { where: "state", hint });
}
