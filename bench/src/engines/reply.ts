import { isErrorCode, PareError } from "@pare/runtime/format";
import type { WireReply } from "./protocol.js";

/** The value of a reply, or the error that it carries. */
export function unwrap(reply: WireReply, engine: string): unknown {
  if (reply.ok) return reply.value;
  const code = isErrorCode(reply.code) ? reply.code : "ENGINE";
  throw new PareError(code, reply.message, {
    where: engine,
    ...(reply.hint === null ? {} : { hint: reply.hint }),
  });
}
