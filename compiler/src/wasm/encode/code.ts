import { ByteWriter } from "./byte-writer.js";

export type ValueType = "i32" | "i64" | "f32" | "v128";

/** An instruction that reads or writes memory, and where it is in its function's code. */
export interface Access {
  /** Of its first byte. */
  readonly at: number;
  /** What it adds to the address. */
  readonly offset: number;
  readonly bytes: number;
  readonly writes: boolean;
  /** What lies on the stack above the address. */
  readonly above?: ValueType;
}

/** The instructions of a function, and which of them are on memory. */
export class Code extends ByteWriter {
  readonly accesses: Access[] = [];

  /** An instruction on memory. It claims no alignment: that is a hint, which nothing is gained by. */
  access(opcode: readonly number[], access: Omit<Access, "at">): void {
    this.accesses.push({ ...access, at: this.written.length });
    this.bytes(opcode);
    this.unsigned(0);
    this.unsigned(access.offset);
  }
}

/** Says which function is called before an access, with its address and its offset. It traps, or gives nothing. */
export type Guard = (access: Access) => number;

/**
 * The same code with a call before each access.
 * @param localOf the index of a local variable of the function's that nothing else uses, one a type
 */
export function guarded(
  code: Code,
  guard: Guard,
  localOf: (type: ValueType | "address") => number,
): Uint8Array {
  const out = new ByteWriter();
  let from = 0;
  const local = (opcode: number, index: number): void => {
    out.byte(opcode);
    out.unsigned(index);
  };
  for (const access of code.accesses) {
    const { at, offset, above } = access;
    out.bytes(code.written.subarray(from, at));
    from = at;
    if (above !== undefined) local(0x21, localOf(above)); // local.set
    local(0x22, localOf("address")); // local.tee
    local(0x20, localOf("address")); // local.get
    out.byte(0x41); // i32.const
    out.signed(offset);
    local(0x10, guard(access)); // call
    if (above !== undefined) local(0x20, localOf(above));
  }
  out.bytes(code.written.subarray(from));
  return out.written;
}
