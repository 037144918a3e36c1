import { closeSync, constants, fstatSync, openSync, read } from "node:fs";
import { promisify } from "node:util";
import { type ByteSource, type ErrorCode, PareError } from "@pare/runtime/format";
import { fileError } from "./file-error.js";

const readFrom = promisify(read);

/** A file read where and when it is needed. Its size is that at opening; the descriptor is open until `close`. */
export interface FileSource extends ByteSource {
  readonly path: string;
  /** What the descriptor points to: how many names it has, and which file it is. */
  readonly links: number;
  readonly identity: string;
  close(): void;
}

/**
 * @param missing the code for a file that is not there
 * @param follow whether a symbolic link at the end of the path is followed
 * @throws PareError `missing` when there is no such regular file; PERMISSION
 */
export function openFileSource(
  path: string,
  missing: ErrorCode = "MODEL_NOT_FOUND",
  follow = true,
): FileSource {
  const noFollow = follow ? 0 : (constants.O_NOFOLLOW ?? 0);
  // Without O_NONBLOCK, opening a named pipe would wait for its other end.
  const flags = constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0);
  let descriptor: number;
  try {
    descriptor = openSync(path, flags);
  } catch (cause) {
    throw fileError(cause, path, missing);
  }
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) {
    closeSync(descriptor);
    const kind = stats.isDirectory() ? "a folder" : "no regular file";
    throw new PareError(missing, `${path} is ${kind}, but a file is needed.`, {
      where: path,
      hint: stats.isDirectory() ? "Name a file inside it." : "Name a regular file.",
    });
  }
  const { size, nlink, dev, ino } = stats;
  let open = true;
  return {
    path,
    size,
    links: nlink,
    identity: `${dev}:${ino}`,
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
    close() {
      if (open) closeSync(descriptor);
      open = false;
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
    const most = Math.min(length - done, 2 ** 30);
    const { bytesRead } = await readFrom(descriptor, bytes, done, most, offset + done).catch(
      (cause: unknown) => {
        throw fileError(cause, path, missing);
      },
    );
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
      hint: "Close other programs, or use a machine with more memory.",
      cause,
    });
  }
}
