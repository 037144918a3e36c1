/** Models that are promised to compile, of `knownModels`. */
export const promised = [
  "mnist-cnn",
  "latency/mnist",
  "latency/kws-dscnn",
  "latency/cifar-resnet8",
  "latency/vww-mbv1-025-96",
  "latency/mbv2-100-96",
  "latency/mbv2-100-224",
  "latency/enc-64x128",
  "latency/enc-128x384x1",
  "ocr-direction",
  "ocr-recognition",
  "blazeface-front",
  "silero-vad-v5",
  "characters-nms",
];
