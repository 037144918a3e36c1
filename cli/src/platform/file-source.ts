import { close, constants, fstat, open, read } from "node:fs";
import { promisify } from "node:util";
import { type ByteSource, type ErrorCode, PareError } from "@pare/runtime/format";
import { fileError } from "./file-error.js";

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);
const readFrom = promisify(read);

/** A file read where and when it is needed. Its size is that at opening; the descriptor is open until `close`. */
export interface FileSource extends ByteSource {
  readonly path: string;
  readonly links: number;
  close(): Promise<void>;
}

/**
 * @param follow whether a symbolic link at the end of the path is followed
 * @throws PareError `missing` when there is no such regular file; PERMISSION
 */
export async function openFileSource(
  path: string,
  missing: ErrorCode = "MODEL_NOT_FOUND",
  follow = true,
): Promise<FileSource> {
  const noFollow = follow ? 0 : (constants.O_NOFOLLOW ?? 0);
  // Without O_NONBLOCK, opening a named pipe would wait for its other end.
  const flags = constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0);
  const descriptor = await openFile(path, flags).catch((cause: unknown) => {
    throw fileError(cause, path, missing);
  });
  try {
    const stats = await statFile(descriptor);
    if (!stats.isFile()) {
      const kind = stats.isDirectory() ? "a folder" : "no regular file";
      throw new PareError(missing, `${path} is ${kind}, but a file is needed.`, {
        where: path,
        hint: stats.isDirectory() ? "Name a file inside it." : "Name a regular file.",
      });
    }
    return fileSource(descriptor, path, stats.size, stats.nlink, missing);
  } catch (error) {
    await closeFile(descriptor);
    throw error;
  }
}

function fileSource(
  descriptor: number,
  path: string,
  size: number,
  links: number,
  missing: ErrorCode,
): FileSource {
  let open = true;
  return {
    path,
    size,
    links,
    async read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) {
        const message = `${length} bytes at ${offset} do not lie inside the ${size} of ${path}.`;
        throw new PareError("MODEL_TRUNCATED", message, {
          where: `${path}, byte ${offset}`,
          hint: "The file is incomplete: download or export it again.",
        });
      }
      return readFully(descriptor, path, offset, length, missing);
    },
    async close() {
      if (!open) return;
      open = false;
      await closeFile(descriptor);
    },
  };
}

async function readFully(
  descriptor: number,
  path: string,
  offset: number,
  length: number,
  missing: ErrorCode,
): Promise<Uint8Array> {
  const bytes = allocate(length, path);
  for (let done = 0; done < length;) {
    const { bytesRead } = await readFrom(
      descriptor,
      bytes,
      done,
      Math.min(length - done, 2 ** 30),
      offset + done,
    ).catch((cause: unknown) => {
      throw fileError(cause, path, missing);
    });
    if (bytesRead === 0) {
      throw new PareError("MODEL_TRUNCATED", `${path} became shorter while it was read.`, {
        where: `${path}, byte ${offset + done}`,
      });
    }
    done += bytesRead;
  }
  return bytes;
}

function allocate(length: number, path: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new PareError("NO_MEMORY", `${length} bytes of ${path} do not fit into memory.`, {
      where: path,
      cause,
    });
  }
}
