import { worthItsTime } from "./support/worth-its-time.mjs";

export const prove = worthItsTime("mlsd-large");
