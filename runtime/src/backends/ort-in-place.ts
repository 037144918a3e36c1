import type { Session } from "../format/engine/backend.js";
import { completeFeeds } from "../format/tensor/feeds.js";
import type { Tensor, Tensors } from "../format/tensor/tensor.js";
import type { ValueInfo } from "../format/tensor/value-info.js";
import type { Ort, OrtSession, OrtTensor } from "./ort.js";
import { OrtArrays, putInto } from "./ort-arrays.js";
import { engineError, ownTensor, queue, wrapSession } from "./ort-session.js";

/**
 * A session that reads and writes the caller's arrays, where the caller says where outputs may lie: onnxruntime in Node does
 * so, and only while it runs. What a page downloads has no part of this.
 */
export function sessionInPlace(ort: Ort, engine: string, session: OrtSession): Session {
  const copying = wrapSession(ort, engine, session);
  const { inputs, outputs } = copying;
  const arrays = new OrtArrays(ort);
  let disposed = false;

  const runNow = async (feeds: Record<string, OrtTensor>, into: Tensors): Promise<Tensors> => {
    const places = arrays.places(outputs, into);
    let results: Record<string, unknown>;
    try {
      results = await session.run(feeds, places);
    } catch (cause) {
      throw engineError(engine, "failed in a run", cause);
    }
    arrays.giveBack(feeds);
    const out: Record<string, Tensor> = {};
    for (const { name } of outputs) {
      const [place, wanted] = [places[name], into[name]];
      out[name] = place && wanted ? putInto(wanted, place) : ownTensor(results[name] as OrtTensor);
    }
    return out;
  };

  return {
    inputs,
    outputs,
    async run(feeds, signal, into) {
      if (into === undefined || disposed) return copying.run(feeds, signal);
      const lent: Record<string, OrtTensor> = {};
      completeFeeds(inputs, feeds).forEach((tensor, index) => {
        const { name } = inputs[index] as ValueInfo;
        lent[name] = arrays.lent(name, tensor);
      });
      return queue().run(() => runNow(lent, into), signal);
    },
    dispose() {
      disposed = true;
      return copying.dispose();
    },
  };
}
