import { operator } from "./operator.js";

const window = operator("size -> output", "output_datatype periodic");

export const signalSchemas = {
  HannWindow: window,
  HammingWindow: window,
  BlackmanWindow: window,
  MelWeightMatrix: operator(
    "num_mel_bins dft_length sample_rate lower_edge_hertz upper_edge_hertz -> output",
    "output_datatype",
  ),
  DFT: operator("input dft_length? axis? -> output", "inverse onesided"),
  STFT: operator("signal frame_step window? frame_length? -> output", "onesided"),
};
