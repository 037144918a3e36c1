// What TensorFlow.js says of a graph model: the reference that Pare's reading of its files is held to.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tensorflow from "@tensorflow/tfjs-core";

tensorflow.env().set("PROD", true);
tensorflow.registerBackend("cpu", () => new MathBackendCPU());

/** Is the file one that TensorFlow.js has a model in? */
export function isModelJson(path) {
  const text = readFileSync(path, "utf8");
  return text.includes('"modelTopology"') && text.includes('"weightsManifest"');
}

/** Loads `model.json`, and gives the outputs by the names of its signature. */
export async function openWithTensorflow(path) {
  const json = JSON.parse(readFileSync(path, "utf8"));
  const parts = json.weightsManifest.flatMap(({ paths }) =>
    paths.map((name) => readFileSync(join(dirname(path), name))),
  );
  const weightData = new Uint8Array(Buffer.concat(parts)).buffer;
  const weightSpecs = json.weightsManifest.flatMap(({ weights }) => weights);
  const { modelTopology, signature, userDefinedMetadata } = json;
  const model = await loadGraphModel({
    load: async () => ({
      modelTopology,
      weightSpecs,
      weightData,
      ...(signature && { signature }),
      ...(userDefinedMetadata && { userDefinedMetadata }),
    }),
  });
  const named = signature ?? userDefinedMetadata?.signature;
  const ends = Object.entries(named?.outputs ?? {}).map(([key, info]) => [key, info.name ?? key]);
  const outputs = ends.length > 0 ? ends : model.outputs.map(({ name }) => [name, name]);
  return {
    /** @param feeds tensors by the names of inputs */
    async run(feeds) {
      const taken = Object.fromEntries(
        Object.entries(feeds).map(([name, { type, dims, data }]) => [
          model.inputs.find((one) => one.name.replace(/:0$/, "") === name)?.name ?? name,
          tensorflow.tensor(data, [...dims], type),
        ]),
      );
      const names = outputs.map(([, tensor]) => tensor);
      const made = await executed(model, taken, names);
      const results = [made]
        .flat()
        .map((tensor, at) => [
          outputs[at][0].replace(/:0$/, ""),
          { type: tensor.dtype, dims: tensor.shape, data: tensor.dataSync() },
        ]);
      return Object.fromEntries(results);
    },
    dispose() {
      model.dispose();
      tensorflow.disposeVariables();
    },
  };
}

/** What decides by its numbers what it computes has to be waited for. */
async function executed(model, taken, names) {
  try {
    return model.execute(taken, names);
  } catch (error) {
    if (!/executeAsync/.test(error.message)) throw error;
    return await model.executeAsync(taken, names);
  }
}
