// What is compared, and how much the metric may drop; `tested` has more test samples, where its data's do not decide that.
export const models = [
  { name: "ocr-direction", data: "ocr-direction", maxDrop: 0.01, mode: "static" },
  { name: "blazeface-front", data: "blazeface-front", maxDrop: 0.002, mode: "static" },
  {
    name: "ocr-recognition",
    data: "ocr-recognition",
    tested: "bench/proofs/line/support/more-lines.mjs",
    maxDrop: 0.01,
    mode: "static",
  },
  { name: "mnist-cnn", data: "mnist", maxDrop: 0.01, mode: "dynamic" },
];
