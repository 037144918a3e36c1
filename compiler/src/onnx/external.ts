import { type ByteSource, PareError } from "@pare/runtime/format";
import type { Message } from "./schema.js";
import { Slice } from "./slice.js";

/**
 * Checks that a location of external data is one relative POSIX path that stays in its folder. Whoever opens a file
 * by it checks the real path as well: a link may lead outside.
 * @throws PareError EXTERNAL_DATA
 */
export function checkLocation(location: string): void {
  const parts = location.split("/");
  const wrong =
    location === ""
      ? "is empty"
      : /[\\\0]/.test(location)
        ? "contains a backslash or NUL"
        : location.startsWith("/") || /^[A-Za-z]:/.test(location)
          ? "is not relative"
          : parts.includes("..")
            ? "leaves the model's folder"
            : parts.includes("") || parts.at(-1) === "."
              ? "is not a plain path"
              : undefined;
  if (wrong !== undefined) {
    throw new PareError(
      "EXTERNAL_DATA",
      `The location ${JSON.stringify(location)} of external data ${wrong}.`,
      { where: location },
    );
  }
}

/** Without what names the folder itself: `./weights.bin` is `weights.bin`, also to engines. */
function plainLocation(location: string): string {
  return location
    .split("/")
    .filter((part) => part !== ".")
    .join("/");
}

/** Where the external data of a tensor lies, as the file says. */
export interface ExternalReference {
  readonly location: string;
  readonly offset: number;
  /** As the tensor's type and dims say where not given. */
  readonly length: number | undefined;
}

/** @throws PareError EXTERNAL_DATA */
function externalReference(
  entries: readonly Message<"StringStringEntryProto">[],
  where: string,
): ExternalReference {
  const given = new Map<string, string>();
  for (const { key = "", value = "" } of entries) {
    if (!["location", "offset", "length", "checksum"].includes(key)) {
      throw new PareError(
        "EXTERNAL_DATA",
        `External data of ${where} has an unknown key ${JSON.stringify(key)}.`,
        { where },
      );
    }
    if (given.has(key))
      throw new PareError("EXTERNAL_DATA", `External data of ${where} gives ${key} twice.`, {
        where,
      });
    given.set(key, value);
  }
  const location = given.get("location");
  if (location === undefined)
    throw new PareError("EXTERNAL_DATA", `External data of ${where} has no location.`, { where });
  checkLocation(location);
  return {
    location: plainLocation(location),
    offset: integer(given.get("offset"), "offset", where) ?? 0,
    length: integer(given.get("length"), "length", where),
  };
}

function integer(text: string | undefined, key: string, where: string): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new PareError(
    "EXTERNAL_DATA",
    `External data of ${where} has the ${key} ${JSON.stringify(text.slice(0, 40))}.`,
    { where },
  );
}

/**
 * @param bytes that the tensor has, where its reference does not say
 * @throws PareError EXTERNAL_DATA when the file is not there or too short
 */
export function externalSlice(
  entries: readonly Message<"StringStringEntryProto">[],
  external: ReadonlyMap<string, ByteSource>,
  where: string,
  bytes: number,
): Slice {
  const { location, offset, length } = externalReference(entries, where);
  const source = external.get(location);
  if (source === undefined) {
    throw new PareError(
      "EXTERNAL_DATA",
      `${where} is in the file ${JSON.stringify(location)}, which is missing.`,
      {
        where,
        hint: "Put the file beside the model, under the name it had when the model was saved.",
      },
    );
  }
  const size = length ?? bytes;
  if (offset + size > source.size) {
    throw new PareError(
      "EXTERNAL_DATA",
      `${where} needs ${size} bytes at ${offset} of ${JSON.stringify(location)}, which has ${source.size}.`,
      {
        where,
        hint: "Copy or download the file again; where it is a Git LFS pointer, git lfs pull fetches it.",
      },
    );
  }
  return new Slice(source, offset, size);
}

/** The locations that a model's tensors name, each checked; for whoever opens the files. */
export function externalLocations(model: Message<"ModelProto">): readonly string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      if (typeof value[0] === "object") value.forEach(visit);
    } else if (
      typeof value === "object" &&
      value !== null &&
      !ArrayBuffer.isView(value) &&
      !(value instanceof Slice)
    ) {
      const { dataLocation, externalData, name } = value as Message<"TensorProto">;
      if (dataLocation === 1)
        found.add(externalReference(externalData ?? [], name ?? "a tensor").location);
      else Object.values(value).forEach(visit);
    }
  };
  visit(model);
  return [...found];
}
