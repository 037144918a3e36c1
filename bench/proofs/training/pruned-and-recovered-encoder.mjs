import { encoder } from "./support/encoder.mjs";
import { clothesOf, recovered, trained } from "./support/prune-and-recover.mjs";

export async function prove(proof) {
  const data = await clothesOf(proof.root);
  const options = { epochs: 5, batch: 64, rate: 0.002, warmUp: 0.1 };
  await recovered(proof, {
    name: "clothes, a transformer encoder, half of the multiplications",
    float: await trained(proof.root, "encoder", encoder(), data, options),
    // Every layer loses heads and neurons, and not neurons alone.
    step: { keepFlops: 0.5, scope: "layer", reconstruct: true },
    data,
    options: { ...options, epochs: 4 },
    points: 1,
  });
}
