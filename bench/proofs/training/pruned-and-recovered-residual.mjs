import { clothesNetwork } from "./support/clothes-network.mjs";
import { clothesOf, recovered } from "./support/prune-and-recover.mjs";

export async function prove(proof) {
  await recovered(proof, {
    name: "clothes, ResNet-8 of 32 channels, half of the multiplications",
    float: await clothesNetwork(proof.root),
    step: { keepFlops: 0.5, reconstruct: true },
    data: await clothesOf(proof.root, 27_000),
    options: { epochs: 3, batch: 64, rate: 0.002 },
    points: 1,
  });
}
