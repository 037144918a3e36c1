// Articles of clothing as in the fixture, with half of those that there are to learn from: time is what they take.
import { samples as all, splits as whole } from "../../../../fixtures/data/fashion-mnist.mjs";

const training = whole.training.filter((_, index) => index % 2 === 0);
export const splits = { ...whole, training };

const left = new Set(whole.training.filter((_, index) => index % 2 === 1));

/** As those of the fixture. */
export async function* samples() {
  for await (const sample of all()) if (!left.has(sample.id)) yield sample;
}
