import { findDetectors } from "../../peers/python.mjs";
import { architecturesWork } from "./support/architectures-work.mjs";

// What Ultralytics publishes, with weights at random, as its exporter writes it.
export const prove = architecturesWork("detectors.py", findDetectors);
