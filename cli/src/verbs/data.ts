import { access } from "node:fs/promises";
import { PareError } from "@pare/runtime/format";
import { parseShapes } from "../prepare/shape-options.js";
import type { DefineVerb } from "../program/verb.js";
import type { OutputOptions } from "../program/output.js";

interface DataOptions extends OutputOptions {
  readonly output?: string;
  readonly force?: boolean;
}

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model>", "an ONNX file")
    .option(
      "-o, --output <file>",
      "where to write the module (default: <model>.data.mjs in the current folder)",
    )
    .option("--force", "overwrite the file if it is there")
    .action(async (path: string, options: DataOptions) => {
      const output = context.output(options);
      const [{ openSubject }, { dataModule }, { writeFileAtomic }] = await Promise.all([
        import("../prepare/subject.js"),
        import("../data/data-template.js"),
        import("../platform/write-file.js"),
      ]);
      const model = await openSubject(path, parseShapes({}), context.signal);
      const file = options.output ?? `${model.name}.data.mjs`;
      try {
        if (options.force !== true && (await exists(file))) {
          throw new PareError("ARGUMENT", `${file} is already there.`, {
            where: file,
            hint: "Overwrite it with --force, or name another file with -o.",
          });
        }
        await writeFileAtomic(file, dataModule(path, model.inputs, model.outputs));
      } finally {
        model.close();
      }
      output.result(`Wrote ${file}. Fill it in, then: pare optimize ${path} --data ${file}`, {
        file,
      });
    });
};

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
