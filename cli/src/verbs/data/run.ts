import { access } from "node:fs/promises";
import { PareError } from "@pare/runtime/format";
import { writeFileAtomic } from "../../platform/write-file.js";
import { quoted } from "../../terminal/quoted.js";
import type { OutputOptions } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import { parseShapes } from "../../workbench/shape-options.js";
import { openModel } from "../../workbench/opened-model.js";
import { fittingSize } from "../../workbench/fitting-size.js";
import { dataModule } from "./data-template.js";

export interface DataOptions extends OutputOptions {
  readonly output?: string;
  readonly force?: boolean;
}

/** `pare data`: a commented module that fits the model's inputs, to be filled in. */
export async function writeDataModule(
  path: string,
  options: DataOptions,
  context: VerbContext,
): Promise<void> {
  const output = context.output(options);
  const model = await openModel(path, parseShapes({}), context.signal);
  const file = options.output ?? `${model.name}.data.mjs`;
  try {
    if (options.force !== true && (await exists(file))) {
      throw new PareError("ARGUMENT", `${file} is already there.`, {
        where: file,
        hint: "Overwrite it with --force, or name another file with -o.",
      });
    }
    const usual = await fittingSize(model.graph, model.inputs);
    await writeFileAtomic(file, dataModule(path, model.inputs, model.outputs, usual));
  } finally {
    model.close();
  }
  output.result(
    `Wrote ${file}. Fill it in, then: pare optimize ${quoted(path)} --data ${quoted(file)}`,
    {
      file,
    },
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
