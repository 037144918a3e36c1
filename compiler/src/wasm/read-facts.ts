import { PareError } from "@pare/runtime/format";
import { factsSection, type ModuleFacts } from "./emit.js";

/**
 * What a module that `compileToWasm` made says of its inputs, outputs and weights.
 * @throws PareError INTERNAL for one that it did not make
 */
export function readFacts(module: Uint8Array): ModuleFacts {
  let at = 8;
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const text = (end: number): string => String.fromCharCode(...module.subarray(at, end));
  while (at < module.length) {
    const id = module[at++];
    const end = unsigned() + at;
    if (id === 0) {
      const nameEnd = unsigned() + at;
      if (text(nameEnd) === factsSection) {
        at = nameEnd;
        const facts: ModuleFacts = JSON.parse(text(end));
        return facts;
      }
    }
    at = end;
  }
  throw new PareError("INTERNAL", "A compiled module does not say what it takes.");
}
