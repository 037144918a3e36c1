import type { Backend, Session } from "../format/engine/backend.js";
import { PareError } from "../format/error.js";
import type { Feeds, Tensors } from "../format/tensor/tensor.js";
import type { ValueInfo } from "../format/tensor/value-info.js";

interface Placed extends ValueInfo {
  readonly dims: readonly number[];
  readonly at: number;
}

/** The `aot` target: a module that is the model. */
export function aot(): Backend {
  return {
    target: "aot",
    engine: "WebAssembly",
    async probe() {
      return { ok: true, engine: "WebAssembly" };
    },
    async load({ files: [{ bytes }] }) {
      const module = await WebAssembly.compile(bytes.slice());
      const [layout] = WebAssembly.Module.customSections(module, "pare");
      if (layout === undefined)
        throw new PareError("ENGINE", "This module was not compiled from a model.");
      const { pages, inputs, outputs } = JSON.parse(new TextDecoder().decode(layout));
      const memory = new WebAssembly.Memory({ initial: pages });
      const instance = await WebAssembly.instantiate(module, { pare: { memory } });
      const { run } = instance.exports;
      if (!isFunction(run)) throw new PareError("ENGINE", "This module has nothing to run.");
      return sessionOn(memory, run, inputs, outputs);
    },
  };
}

function isFunction(value: unknown): value is () => void {
  return typeof value === "function";
}

function sessionOn(
  memory: WebAssembly.Memory,
  run: () => void,
  inputs: readonly Placed[],
  outputs: readonly Placed[],
): Session {
  const floats = ({ at, dims }: Placed): Float32Array =>
    new Float32Array(
      memory.buffer,
      at,
      dims.reduce((product, size) => product * size, 1),
    );
  return {
    inputs,
    outputs,
    async run(feeds: Feeds): Promise<Tensors> {
      for (const input of inputs) {
        const given = feeds[input.name];
        const data = given !== undefined && "dims" in given ? given.data : given;
        const place = floats(input);
        if (!(data instanceof Float32Array) || data.length !== place.length)
          throw new PareError("INPUT", `${input.name} needs ${place.length} floats.`, {
            where: input.name,
          });
        place.set(data);
      }
      run();
      return Object.fromEntries(
        outputs.map((output) => {
          const { name, type, dims } = output;
          return [name, { type, dims, data: floats(output).slice() }] as const;
        }),
      );
    },
    async dispose() {},
  };
}
