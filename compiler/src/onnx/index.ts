export { encodeAttribute } from "./attribute-message.js";
export { decodeModel, type DecodeOptions } from "./decode.js";
export { isToolKey } from "./descriptions.js";
export { encodeModel } from "./encode.js";
export { checkLocation, externalLocations } from "./external.js";
export { readMessage } from "./read-message.js";
export type { Message } from "./schema.js";
export { decodeTensor } from "./tensor-message.js";
export { writeMessage } from "./write-message.js";
