// Of PP-OCR's direction classifier, which nobody here trained: what pruning and distilling pay.
import { paysOff } from "./support/what-it-pays.mjs";

export const prove = (proof) =>
  paysOff("training/what-it-pays-text-direction", "ocr-direction", proof);
