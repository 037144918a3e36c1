// Distillation on every float model there is, as its file is: weights that were shaken learn to answer as they did, whether the
// model takes several samples at once or one, and whatever operators its gradients go through.
import { performance } from "node:perf_hooks";
import { fixedGraph, isFloatModel, rangeOf } from "../aot/support/compiled.mjs";
import { knownModels } from "../known-models.mjs";
import { scratch } from "../shell.mjs";
import { teachShaken } from "./support/teach-shaken.mjs";

export async function prove({ claim, inform, root }) {
  const failed = [];
  const singles = [];
  let taught = 0;
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    for (const { name, path } of models) {
      const teacher = await fixedGraph({ name, path });
      if (!isFloatModel(teacher)) continue;
      const notes = [];
      const began = performance.now();
      try {
        const [first, last] = await teachShaken(teacher, rangeOf(name), notes);
        const falls = last < first;
        const said = `${first.toPrecision(3)} → ${last.toPrecision(3)}, ${((performance.now() - began) / 1000).toFixed(1)} s`;
        inform(`${name}: loss of the first epoch and of the last`, { value: said });
        if (notes.some((note) => note.includes("one sample at a time"))) singles.push(name);
        if (falls) taught += 1;
        else failed.push(`${name}: ${said}`);
      } catch (error) {
        failed.push(`${name}: ${error.message}`);
      }
    }
    inform("sources that cannot be had here", {
      value: missing.length,
      ...(missing.length > 0 && { note: missing.join("; ") }),
    });
  });
  inform("models that take one sample at a time", {
    value: singles.length,
    note: singles.join(", "),
  });
  claim("models that are not taught", {
    value: failed.length,
    bound: "≤ 0",
    n: taught + failed.length,
    met: failed.length === 0 && taught >= 8,
    ...(failed.length > 0 && { note: failed.join("; ") }),
  });
}
