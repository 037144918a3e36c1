// Loads a model as it was sent, and what Pare wrote of it, in the engine: what loaded before must load after.
import { InferenceSession } from "onnxruntime-node";

process.on("message", (request) => void compare(request));
process.on("disconnect", () => process.exit());
process.send({ ready: true });

async function compare({ original, written }) {
  const before = await loads(original);
  const after = before === null ? await loads(written) : "";
  process.send({ broke: before === null && after !== null ? after : null });
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
