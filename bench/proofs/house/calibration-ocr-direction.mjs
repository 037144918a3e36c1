import { calibration } from "./support/calibration.mjs";

export const prove = calibration("ocr-direction");
