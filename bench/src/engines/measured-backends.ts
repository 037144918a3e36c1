import {
  type ArtifactFormat,
  type Backend,
  PareError,
  type TargetName,
} from "@pare/runtime/format";

export interface MeasuredBackend {
  readonly target: TargetName;
  /** Where it runs while it is measured, the first that there is: a process of its own, or a worker in a driven browser. */
  readonly places: readonly ("node" | "browser")[];
  /** What it loads: a model that it interprets, or a module that is the model. */
  readonly format: ArtifactFormat;
  /** In Node, what it takes is WebAssembly's memory, and not all that its process has. */
  readonly inWasm: boolean;
  /** Called where it runs: an engine is imported there alone. */
  load(): Promise<Backend>;
}

/** What can be measured: a row a target, in the order in which they are tried. */
const backends: readonly MeasuredBackend[] = [
  {
    target: "aot",
    places: ["browser", "node"],
    format: "wasm",
    inWasm: true,
    load: async () => (await import("@pare/runtime/aot")).aot(),
  },
  {
    target: "cpu",
    places: ["node"],
    format: "onnx",
    inWasm: false,
    load: async () => (await import("@pare/runtime/ort-node")).cpu(),
  },
  {
    target: "wasm",
    places: ["browser", "node"],
    format: "onnx",
    inWasm: true,
    load: async () => (await import("@pare/runtime/ort-web")).wasm({ threads: 1 }),
  },
  {
    target: "webgpu",
    places: ["browser"],
    format: "onnx",
    inWasm: true,
    load: async () => (await import("@pare/runtime/ort-web")).webgpu(),
  },
];

/** Targets that can be measured, on machines that have what they need. */
export const measurableTargets: readonly TargetName[] = backends.map(({ target }) => target);

/** Those of engines, which load any model; a module is compiled of those whose sizes are fixed. */
export const engineTargets: readonly TargetName[] = backends
  .filter(({ format }) => format === "onnx")
  .map(({ target }) => target);

/** @throws PareError UNSUPPORTED_DEVICE for a target that cannot be measured */
export function backendFor(name: string | null | undefined): MeasuredBackend {
  const found = backends.find(({ target }) => target === name);
  if (found !== undefined) return found;
  throw new PareError("UNSUPPORTED_DEVICE", `${name} cannot be measured yet.`);
}

/** What runs in this process of Node, as it does in an app; of a format, what loads that. */
export async function backendsInNode(format?: ArtifactFormat): Promise<readonly Backend[]> {
  const here = backends.filter(
    (row) => row.places.includes("node") && (format === undefined || row.format === format),
  );
  return Promise.all(here.map((backend) => backend.load()));
}
