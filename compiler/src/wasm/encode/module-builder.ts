import { ByteWriter } from "./byte-writer.js";
import type { Guard } from "./code.js";
import { typeCode } from "./expression.js";
import type { FunctionBuilder } from "./function-builder.js";

/** Bytes of a page of WebAssembly's memory. */
export const pageBytes = 65536;

interface AddedFunction {
  readonly body: FunctionBuilder;
  readonly guard: Guard | undefined;
}

interface Segment {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * A module in WebAssembly's binary format: functions of 32-bit integers, one memory, its initial contents, integers that
 * whoever runs it may look at, sections for whoever loads it. It imports nothing.
 */
export class ModuleBuilder {
  readonly #functions: AddedFunction[] = [];
  readonly #exports: { readonly name: string; readonly kind: number; readonly index: number }[] =
    [];
  #globals = 0;
  readonly #segments: Segment[] = [];
  readonly #sections: { readonly name: string; readonly bytes: Uint8Array }[] = [];

  /**
   * @param guard is called before all its accesses to memory
   * @returns the index by which it is called
   */
  add(body: FunctionBuilder, exportedAs?: string, guard?: Guard): number {
    const index = this.#functions.push({ body, guard }) - 1;
    if (exportedAs !== undefined) this.#exports.push({ name: exportedAs, kind: 0, index });
    return index;
  }

  /** An integer, −1 until it is set. @returns the index by which it is set */
  global(exportedAs: string): number {
    const index = this.#globals;
    this.#globals += 1;
    this.#exports.push({ name: exportedAs, kind: 3, index });
    return index;
  }

  data(at: number, bytes: Uint8Array): void {
    this.#segments.push({ at, bytes });
  }

  custom(name: string, bytes: Uint8Array): void {
    this.#sections.push({ name, bytes });
  }

  /**
   * @param memoryBytes what the memory has at least, rounded up to whole pages; it does not grow
   * @param isShared whether threads may share it
   */
  encode(memoryBytes: number, isShared = false): Uint8Array<ArrayBuffer> {
    // First of all: guards add the functions that they call.
    const bodies: Uint8Array[] = [];
    for (const { body, guard } of this.#functions) bodies.push(body.encoded(guard));
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
    const arities = [...new Set(this.#functions.map(({ body }) => body.arity))];
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
      for (const { body } of this.#functions) functions.unsigned(arities.indexOf(body.arity));
    });
    const pages = Math.ceil(memoryBytes / pageBytes);
    section(5, (memories) => {
      memories.bytes([1, isShared ? 3 : 1]); // one, with a maximum
      memories.unsigned(pages);
      memories.unsigned(pages);
    });
    if (this.#globals > 0) {
      section(6, (globals) => {
        globals.unsigned(this.#globals);
        for (let at = 0; at < this.#globals; at += 1)
          globals.bytes([typeCode.i32, 1, 0x41, 0x7f, 0x0b]); // mutable, at first −1
      });
    }
    section(7, (exports) => {
      exports.unsigned(this.#exports.length + 1);
      exports.name("memory");
      exports.bytes([2, 0]);
      for (const { name, kind, index } of this.#exports) {
        exports.name(name);
        exports.byte(kind);
        exports.unsigned(index);
      }
    });
    section(10, (code) => {
      code.unsigned(bodies.length);
      for (const body of bodies) code.sized(body);
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
