import type { Backend } from "../format/engine/backend.js";
import { PareError } from "../format/error.js";

type Given = Backend | (() => Backend);

/** In order of preference; one alone may stand without a list, and `cpu` means `cpu()`. */
export type Backends = Given | readonly Given[];

/** @throws PareError ARGUMENT for what is no backend */
export function backendsOf(options: { readonly backends: Backends } | undefined): Backend[] {
  const given = options?.backends;
  // A caller in JavaScript passes what it likes.
  return ([given].flat() as readonly unknown[]).map((each) => {
    const backend: unknown = typeof each === "function" ? each() : each;
    if (isBackend(backend)) return backend;
    throw new PareError("ARGUMENT", "`backends` must be backends.", {
      where: "backends",
      hint: 'Pass [wasm()] of "@pare/runtime/ort-web", for example.',
    });
  });
}

function isBackend(value: unknown): value is Backend {
  return typeof value === "object" && value !== null && "probe" in value && "target" in value;
}
