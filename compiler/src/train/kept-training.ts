import { isPareError } from "@pare/runtime/format";
import { CacheKey } from "../pipeline/cache-key.js";
import type { Kept } from "../pipeline/services.js";
import { checkpointPlace, type TrainingIdentity } from "./checkpoint.js";
import { train } from "./trainer.js";
import type { Trained, TrainRequest } from "./train-request.js";

/**
 * As `train`, going on from what an earlier run left of the same training, if anything: one that was interrupted goes on,
 * and one that came to its end is not done again.
 * @param begun tells the weights that it begins with from others: a checkpoint does not ask for them
 * @throws PareError as `train`
 */
export async function trainKept(
  request: TrainRequest & { readonly identity: TrainingIdentity },
  begun: string,
  { cache, setting }: Kept,
): Promise<Trained> {
  const { identity, options, samples, random, onCheckpoint } = request;
  const key = CacheKey.of("training", {
    setting,
    begun,
    identity,
    options: JSON.stringify(options),
    samples: samples.count,
    seed: random("checkpoint")(),
  });
  const keeping: TrainRequest = {
    ...request,
    onCheckpoint: async (bytes) => {
      await onCheckpoint?.(bytes);
      await cache.put(key, bytes);
    },
  };
  const resume = request.resume ?? (await cache.get(key));
  if (resume === undefined || request.resume !== undefined) return train({ ...keeping, resume });
  try {
    return await train({ ...keeping, resume });
  } catch (error) {
    // What a cache holds may be anything.
    if (isPareError(error) && error.where === checkpointPlace) return train(keeping);
    throw error;
  }
}
