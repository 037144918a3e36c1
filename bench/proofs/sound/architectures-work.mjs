import { findTorch } from "../../peers/python.mjs";
import { architecturesWork } from "./support/architectures-work.mjs";

// What models are built of today, as PyTorch's two exporters write it, with sizes fixed and free.
export const prove = architecturesWork("architectures.py", findTorch);
