import { operator } from "./operator.js";

const cell = "activation_alpha activation_beta activations clip direction hidden_size layout";

export const recurrentSchemas = {
  LSTM: operator(
    "X W R B? sequence_lens? initial_h? initial_c? P? -> Y? Y_h? Y_c?",
    `${cell} input_forget`,
  ),
  GRU: operator("X W R B? sequence_lens? initial_h? -> Y? Y_h?", `${cell} linear_before_reset`),
  RNN: operator("X W R B? sequence_lens? initial_h? -> Y? Y_h?", cell),
};
