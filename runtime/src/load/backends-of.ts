import type { Backend, SyncBackend } from "../format/engine/backend.js";
import { PareError } from "../format/error.js";

type Given<Kind extends Backend> = Kind | (() => Kind);

/** In order of preference; one alone may stand without a list, and `cpu` means `cpu()`. */
export type Backends<Kind extends Backend = Backend> = Given<Kind> | readonly Given<Kind>[];

/** Whichever of them runs a model, it runs at once. */
export type SyncBackends = Backends<SyncBackend>;

/** @throws PareError ARGUMENT for what is no backend */
export function backendsOf(options: { readonly backends: Backends } | undefined): Backend[] {
  const given = options?.backends;
  // A caller in JavaScript passes what it likes.
  return ([given].flat() as readonly unknown[]).map((each) => {
    const backend: unknown = typeof each === "function" ? each() : each;
    if (isBackend(backend)) return backend;
    throw new PareError("ARGUMENT", "`backends` must be backends.", {
      where: "backends",
      hint: "Pass [wasm()], for example.",
    });
  });
}

function isBackend(value: unknown): value is Backend {
  return typeof value === "object" && value !== null && "probe" in value && "target" in value;
}
