import { isBundle } from "../../platform/bundle-files.js";
import type { OutputOptions } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import {
  parseManyShapes,
  refuseOfBundle,
  type ShapeOptions,
} from "../../workbench/shape-options.js";

export interface InspectOptions extends OutputOptions, ShapeOptions {
  readonly why?: boolean;
}

/** `pare inspect`: a model as it was read, or what a bundle holds, if its files are as they were written. */
export async function runInspect(
  path: string,
  options: InspectOptions,
  context: VerbContext,
): Promise<void> {
  const output = context.output(options);
  const why = options.why === true;
  if (await isBundle(path)) {
    refuseOfBundle(options);
    const { inspectBundle } = await import("./inspect-bundle.js");
    const { text, document } = await inspectBundle(path, why, context.signal);
    output.result(text, document);
    return;
  }
  const { inspectModel } = await import("./inspect-model.js");
  const { text, document } = await inspectModel(
    path,
    parseManyShapes(options),
    why,
    context.signal,
  );
  output.result(text, document);
}
