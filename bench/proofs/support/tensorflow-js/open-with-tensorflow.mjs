// What TensorFlow.js says of a graph model, on its backend `cpu` where no other was chosen.
import { readFileSync } from "node:fs";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tensorflow from "@tensorflow/tfjs-core";
import { shardsOf } from "./published-models.mjs";

tensorflow.env().set("PROD", true);
if (tensorflow.findBackend("cpu") === null)
  tensorflow.registerBackend("cpu", () => new MathBackendCPU());

/** Loads `model.json`, and gives the outputs by the names of its signature. */
export async function openWithTensorflow(path) {
  const json = JSON.parse(readFileSync(path, "utf8"));
  const parts = shardsOf(path).map((file) => readFileSync(file));
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
      const made = [await executed(model, taken, names)].flat();
      const results = made.map((tensor, at) => [
        outputs[at][0].replace(/:0$/, ""),
        { type: tensor.dtype, dims: tensor.shape, data: tensor.dataSync() },
      ]);
      tensorflow.dispose([...made, ...Object.values(taken)]);
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
