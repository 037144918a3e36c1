import type { Session } from "../format/engine/backend.js";
import { completeFeeds } from "../format/tensor/feeds.js";
import { isTypedArray, type Tensor, type Tensors } from "../format/tensor/tensor.js";
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
  const { inputs, outputs, stream } = copying;
  const arrays = new OrtArrays(ort);
  const nowhere = closedPort();
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
    discardCopies(nowhere, places, results);
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
    ...(stream && { stream }),
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

/** What is moved through it is nobody's: its memory is free at once. */
function closedPort(): MessagePort {
  const { port1 } = new MessageChannel();
  port1.close();
  return port1;
}

/**
 * What onnxruntime wrote into the caller's arrays it copies once more, into arrays that it returns and nobody reads. Left to
 * the garbage collector they are megabytes a step of training: it runs every few steps, on threads of its own beside those
 * that compute, and what is allocated meanwhile is in no cache.
 */
function discardCopies(
  nowhere: MessagePort,
  places: Readonly<Record<string, OrtTensor | null>>,
  results: Readonly<Record<string, unknown>>,
): void {
  const copies = new Set<ArrayBuffer>();
  for (const [name, place] of Object.entries(places)) {
    const { data } = results[name] as OrtTensor;
    const isCopy =
      isTypedArray(data) && isTypedArray(place?.data) && data.buffer !== place.data.buffer;
    if (isCopy && data.buffer instanceof ArrayBuffer) copies.add(data.buffer);
  }
  if (copies.size > 0) nowhere.postMessage(null, [...copies]);
}
