import type { Backend } from "@pare/runtime/format";
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
    load: (artifact, options) => backend.load(artifact, options),
    peakBytes,
  };
}
