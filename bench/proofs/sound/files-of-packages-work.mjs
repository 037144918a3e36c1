import { findPython } from "../../peers/python.mjs";
import { architecturesWork } from "./support/architectures-work.mjs";

// The ONNX files that Python packages bring along, as their authors published them.
export const prove = architecturesWork("packages.py", findPython, { learns: false });
