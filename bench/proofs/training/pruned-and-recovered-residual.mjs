import { residual } from "./support/networks.mjs";
import { clothesOf, recovered, trained } from "./support/prune-and-recover.mjs";

export async function prove(proof) {
  const data = await clothesOf(proof.root);
  const options = { epochs: 4, batch: 64, rate: 0.004 };
  await recovered(proof, {
    name: "clothes, ResNet-8 of 32 channels, half of the multiplications",
    float: await trained(proof.root, "residual-32", residual({ width: 32 }), data, options),
    step: { keepFlops: 0.5, reconstruct: true },
    data,
    options: { ...options, rate: 0.002 },
    points: 1,
  });
}
