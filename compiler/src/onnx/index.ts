export { byteSource as bytesSource } from "@pare/runtime/format";
export { decodeMessage, decodeModel, type DecodeOptions, type ModelBytes } from "./decode.js";
export { encodeMessage, encodeModel, type EncodedModel, type EncodeOptions } from "./encode.js";
export {
  checkLocation,
  type ExternalReference,
  externalLocations,
  externalReference,
} from "./external.js";
export type { ExternalWriting } from "./external-write.js";
export { readMessage } from "./read-message.js";
export type { Message, MessageName } from "./schema.js";
export { decodeTensor, encodeTensor } from "./tensor-message.js";
export { writeMessage } from "./write-message.js";
