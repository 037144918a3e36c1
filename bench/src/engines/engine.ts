import { type ArtifactFormat, type Backend, PareError } from "@pare/runtime/format";
import type { Engine } from "./engine-server.js";

/** A runtime backend as an engine to measure. `place` is what runs it: `Node 20.20`, `Chromium 156`. */
export function engineOf(backend: Backend, place: string, peakBytes: () => number | null): Engine {
  return {
    async probe() {
      const probe = await backend.probe();
      return probe.ok
        ? {
            engine: `${probe.engine} (${place})`.replace(/\) \(/, ", "),
            software: probe.software ?? false,
            features: probe.features ?? [],
            unavailable: null,
          }
        : { engine: backend.engine, software: false, features: [], unavailable: probe.why };
    },
    start: async () => backend.start?.(),
    load: (artifact, options) => backend.load(artifact, options),
    peakBytes,
  };
}

/**
 * Several engines in one place, so that their models can be timed in turns: an artifact goes to the one that takes its
 * format. It is what the first of them says of itself.
 */
export function jointEngine(engines: ReadonlyMap<ArtifactFormat, Engine>): Engine {
  const [first] = engines.values();
  if (first === undefined) throw new PareError("INTERNAL", "There is no engine to join.");
  return {
    probe: () => first.probe(),
    start: () => first.start(),
    async load(artifact, options) {
      const engine = engines.get(artifact.format);
      if (engine === undefined)
        throw new PareError("INTERNAL", `No engine here takes ${artifact.format}.`);
      return engine.load(artifact, options);
    },
    peakBytes: () => first.peakBytes(),
  };
}
