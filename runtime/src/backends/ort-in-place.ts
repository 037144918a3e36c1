import type { Session } from "../format/engine/backend.js";
import { PareError } from "../format/error.js";
import { completeFeeds } from "../format/tensor/feeds.js";
import type { Tensor, Tensors } from "../format/tensor/tensor.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import type { Ort, OrtSession, OrtTensor } from "./ort.js";
import { OrtArrays, putInto } from "./ort-arrays.js";
import { engineError, ownTensor, queue, valueInfo } from "./ort-session.js";

/**
 * A session that reads and writes the caller's arrays, where the caller says where outputs may lie: onnxruntime in Node does
 * so, and only while it runs. What a page downloads has no part of this.
 */
export function sessionInPlace(ort: Ort, engine: string, session: OrtSession): Session {
  const inputs = session.inputMetadata.map(valueInfo);
  const outputs = session.outputMetadata.map(valueInfo);
  let disposed = false;

  const arrays = new OrtArrays(ort);

  const runNow = async (feeds: Record<string, OrtTensor>, into?: Tensors): Promise<Tensors> => {
    const places = into && arrays.places(outputs, into);
    let results: Record<string, unknown>;
    try {
      results = await (places ? session.run(feeds, places) : session.run(feeds));
    } catch (cause) {
      throw engineError(engine, "failed in a run", cause);
    }
    arrays.giveBack(feeds);
    const out: Record<string, Tensor> = {};
    for (const { name } of outputs) {
      const [place, wanted] = [places?.[name], into?.[name]];
      out[name] = place && wanted ? putInto(wanted, place) : ownTensor(results[name] as OrtTensor);
    }
    return out;
  };

  return {
    inputs,
    outputs,
    // Engines read inputs later, and a run may wait for others: what the caller passed is its own again at once, unless it
    // says where outputs may lie.
    async run(feeds, signal, into) {
      if (disposed) throw new PareError("DISPOSED", "The model was already disposed of.");
      const own: Record<string, OrtTensor> = {};
      completeFeeds(inputs, feeds).forEach((tensor, index) => {
        const { name } = inputs[index] as ValueInfo;
        own[name] = into ? arrays.lent(name, tensor) : arrays.copied(name, tensor);
      });
      return queue().run(() => runNow(own, into), signal);
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await queue().run(() => session.release());
    },
  };
}
