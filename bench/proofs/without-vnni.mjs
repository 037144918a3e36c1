import { instructionSets } from "../../cli/dist/workbench/processor.js";

const sets = instructionSets() ?? [];

/**
 * Which part of a proof this machine's is, where integers' speed depends on the processor: those of x64 without a dot
 * product of bytes in one instruction are kept beside the others', which would replace them otherwise.
 */
export const partByProcessor =
  process.arch === "x64" && sets.length > 0 && !sets.some((name) => /VNNI/.test(name))
    ? "without-vnni"
    : undefined;
