import { ByteWriter } from "./byte-writer.js";
import { typeCode } from "./expression.js";
import type { FunctionBuilder } from "./function-builder.js";

/** Bytes of a page of WebAssembly's memory. */
export const pageBytes = 65536;

interface Segment {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * A module in WebAssembly's binary format: functions of 32-bit integers, one memory, its initial contents, sections for
 * whoever loads it. It imports nothing.
 */
export class ModuleBuilder {
  readonly #functions: FunctionBuilder[] = [];
  readonly #exports: { readonly name: string; readonly index: number }[] = [];
  readonly #segments: Segment[] = [];
  readonly #sections: { readonly name: string; readonly bytes: Uint8Array }[] = [];

  /** @returns the index by which it is called */
  add(body: FunctionBuilder, exportedAs?: string): number {
    const index = this.#functions.push(body) - 1;
    if (exportedAs !== undefined) this.#exports.push({ name: exportedAs, index });
    return index;
  }

  data(at: number, bytes: Uint8Array): void {
    this.#segments.push({ at, bytes });
  }

  custom(name: string, bytes: Uint8Array): void {
    this.#sections.push({ name, bytes });
  }

  /** @param memoryBytes what the memory has at least, rounded up to whole pages; it does not grow */
  encode(memoryBytes: number): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter();
    out.bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]); // \0asm, version 1
    const section = (id: number, write: (content: ByteWriter) => void): void => {
      const content = new ByteWriter();
      write(content);
      out.byte(id);
      out.sized(content.written);
    };
    for (const { name, bytes } of this.#sections) {
      section(0, (content) => {
        content.name(name);
        content.bytes(bytes);
      });
    }
    const arities = [...new Set(this.#functions.map(({ parameters }) => parameters.length))];
    section(1, (types) => {
      types.unsigned(arities.length);
      for (const arity of arities) {
        types.byte(0x60);
        types.unsigned(arity);
        for (let at = 0; at < arity; at += 1) types.byte(typeCode.i32);
        types.unsigned(0);
      }
    });
    section(3, (functions) => {
      functions.unsigned(this.#functions.length);
      for (const { parameters } of this.#functions)
        functions.unsigned(arities.indexOf(parameters.length));
    });
    const pages = Math.ceil(memoryBytes / pageBytes);
    section(5, (memories) => {
      memories.bytes([1, 1]); // one, with a maximum
      memories.unsigned(pages);
      memories.unsigned(pages);
    });
    section(7, (exports) => {
      exports.unsigned(this.#exports.length + 1);
      exports.name("memory");
      exports.bytes([2, 0]);
      for (const { name, index } of this.#exports) {
        exports.name(name);
        exports.byte(0);
        exports.unsigned(index);
      }
    });
    section(10, (code) => {
      code.unsigned(this.#functions.length);
      for (const body of this.#functions) code.sized(body.encoded());
    });
    if (this.#segments.length > 0) {
      section(11, (data) => {
        data.unsigned(this.#segments.length);
        for (const { at, bytes } of this.#segments) {
          data.bytes([0, 0x41]); // into the memory, at a constant
          data.signed(at);
          data.byte(0x0b);
          data.sized(bytes);
        }
      });
    }
    return out.written.slice();
  }
}
