// Loads a model as it was sent, and what Pare wrote of it, in the engine: what loaded before must load after. What a module
// of it answered is compared with what the engine answers.
import { InferenceSession, Tensor } from "onnxruntime-node";

process.on("message", (request) => void compare(request));
process.on("disconnect", () => process.exit());
process.send({ ready: true });

async function compare({ original, written, answers }) {
  const before = await loads(original);
  const after = before === null ? await loads(written) : "";
  const differs = before === null && answers ? await difference(original, answers) : undefined;
  process.send({ broke: before === null && after !== null ? after : null, ...differs });
}

async function loads(path) {
  try {
    const session = await InferenceSession.create(path, { logSeverityLevel: 4 });
    await session.release();
    return null;
  } catch (error) {
    return String(error?.message ?? error);
  }
}

/** Once as the engine runs it, and once without its own optimizations: it need not agree with itself. */
async function difference(path, answers) {
  const found = [];
  for (const graphOptimizationLevel of ["all", "disabled"]) {
    const expected = await run(path, answers.feeds, graphOptimizationLevel);
    if (expected === null) return { compared: false };
    const what = answers.trapped ?? differing(expected, answers.outputs);
    if (what === null) return { compared: true, differs: null };
    found.push(what);
  }
  return { compared: true, differs: found[0] };
}

/** Null where the engine does not run it either. */
async function run(path, feeds, graphOptimizationLevel) {
  const options = { graphOptimizationLevel, logSeverityLevel: 4 };
  try {
    const session = await InferenceSession.create(path, options);
    try {
      const tensors = Object.entries(feeds).map(([name, { type, dims, data }]) => [
        name,
        new Tensor(type, data, dims),
      ]);
      return await session.run(Object.fromEntries(tensors));
    } finally {
      await session.release();
    }
  } catch {
    return null;
  }
}

/** Of the largest number of an output. */
const tolerance = 0.02;

/** Which output is another, in words; what is no number, or beyond all, is compared with nothing. */
function differing(expected, actual) {
  for (const [name, { type, dims, data }] of Object.entries(expected)) {
    const other = actual[name];
    if (other?.type !== type || other.dims.join() !== dims.join())
      return `${name} is ${type}[${dims.join()}], and ${other?.type}[${other?.dims.join()}] here`;
    let scale = 0.01;
    for (const value of data)
      if (Number.isFinite(Number(value))) scale = Math.max(scale, Math.abs(Number(value)));
    for (let at = 0; at < data.length; at += 1) {
      const [x, y] = [Number(data[at]), Number(other.data[at])];
      if (Math.abs(x - y) > tolerance * scale && Number.isFinite(x) && Number.isFinite(y))
        return `${name}[${at}] is ${x}, and ${y} here`;
    }
  }
  return null;
}
