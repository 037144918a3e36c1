import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ByteSource, PareError } from "@pare/runtime/format";
import { type FileSource, openFileSource } from "./file-source.js";

/**
 * A model's external data: files in its folder, opened when a tensor names them. A model is input from a stranger, so
 * a file counts only when it is a regular one with a single name whose real path lies where the location says.
 */
export class ExternalFiles extends Map<string, ByteSource> {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  /** @throws PareError EXTERNAL_DATA, PERMISSION; undefined when there is no such file */
  override get(location: string): ByteSource | undefined {
    const known = super.get(location);
    if (known !== undefined) return known;
    const opened = openInside(this.#folder, location);
    if (opened !== undefined) this.set(location, opened);
    return opened;
  }

  close(): void {
    for (const source of this.values())
      if ("close" in source && typeof source.close === "function") source.close();
    this.clear();
  }
}

function openInside(folder: string, location: string): FileSource | undefined {
  const outside = (what: string, hint = "Copy the file itself beside the model."): PareError =>
    new PareError("EXTERNAL_DATA", `The external data ${JSON.stringify(location)} ${what}.`, {
      where: join(folder, location),
      hint,
    });
  const parts = location.split("/");
  if (
    location === "" ||
    /[\\\0:]/.test(location) ||
    parts.some((part) => part === "" || part === "." || part === "..")
  ) {
    throw outside(
      "is not a plain path inside the model's folder",
      "Save the model again with its data beside it.",
    );
  }
  const expected = join(realpathSync(folder), ...parts);
  let real: string;
  try {
    real = realpathSync(expected);
  } catch {
    return undefined;
  }
  if (real !== expected) throw outside("leads through a symbolic link");
  const file = openFileSource(expected, "EXTERNAL_DATA", false);
  // The descriptor is what was checked, whatever happens to the path meanwhile.
  const { dev, ino } = statSync(real);
  const wrong =
    file.identity !== `${dev}:${ino}`
      ? "changed while it was opened"
      : file.links > 1
        ? "is a hard link: it has more than one name"
        : null;
  if (wrong === null) return file;
  file.close();
  throw outside(wrong);
}
