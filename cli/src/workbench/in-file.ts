import { basename } from "node:path";
import { isPareError, PareError } from "@pare/runtime/format";
import { shownPath } from "../terminal/shown-path.js";

/** What is wrong within a file. That there is none says where already. */
const within = /^(MODEL_(?!NOT_FOUND)|EXTERNAL_DATA|UNSUPPORTED_OP)/;

/**
 * Reads a model; what is wrong with it is said of its file, since a command may read several.
 * @param label how reports name it
 */
export async function inFile<T>(label: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isPareError(error) || !within.test(error.code)) throw error;
    const { code, message, hint, where, cause } = error;
    const file = shownPath(label);
    const isNamed = where === undefined || where === file || where === basename(file);
    const place = isNamed ? file : `${file}: ${where}`;
    throw new PareError(code, message, { where: place, hint, cause });
  }
}
