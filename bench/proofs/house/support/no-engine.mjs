// node --import no-engine.mjs …: a process that cannot load an engine, whatever it tries.
import { register } from "node:module";

register(
  `data:text/javascript,${encodeURIComponent(`
    export async function resolve(specifier, context, next) {
      if (/^onnxruntime-(node|web)/.test(specifier))
        throw new Error("There is no engine here: " + specifier);
      return next(specifier, context);
    }
  `)}`,
);
