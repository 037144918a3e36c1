// What every app has to answer: what Node answers with the same variant, within the variant's own tolerance.
import { readFileSync } from "node:fs";
import { load } from "../../../../runtime/dist/index.js";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { wasm } from "../../../../runtime/dist/backends/ort-web.js";
import { manifestOf } from "../../shell.mjs";
import { numbersIn } from "./visit.mjs";

/** @param bundle with a variant for cpu and one for wasm; @param seven the file of a digit */
export async function createJudge(bundle, seven) {
  const pixels = Float32Array.from(JSON.parse(readFileSync(seven, "utf8")).flat(3));
  const x = { type: "float32", dims: [1, 1, 28, 28], data: pixels };
  const expected = {};
  for (const [target, backend] of [
    ["cpu", cpu()],
    ["wasm", wasm()],
  ]) {
    const model = await load(bundle, { backends: [backend] });
    const { logits } = await model.run({ x });
    const { tolerance } = manifestOf(bundle).variants.find(
      ({ id }) => id === model.selection.chosen,
    );
    expected[target] = { values: [...logits.data], tolerance };
    await model.dispose();
  }

  return {
    digits: Object.values(expected).map(({ values }) => best(values)),
    /** The largest share of the tolerance that an answer uses; a text that is no answer is infinitely far off. */
    share(target, text) {
      const { values, tolerance } = expected[target];
      const found = numbersIn(text);
      if (found?.length !== values.length || best(found) !== best(values)) return Infinity;
      const shares = values.map((value, index) => {
        const absolute = tolerance.outputs?.logits ?? tolerance.absolute;
        return Math.abs(found[index] - value) / (absolute + tolerance.relative * Math.abs(value));
      });
      return Math.max(...shares);
    },
  };
}

const best = (values) => values.indexOf(Math.max(...values));
