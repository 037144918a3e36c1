import { randomOperator } from "./operator.js";

export const randomSchemas = {
  RandomNormal: randomOperator("-> output", "dtype mean scale seed shape"),
  RandomUniform: randomOperator("-> output", "dtype high low seed shape"),
  RandomNormalLike: randomOperator("input -> output", "dtype mean scale seed"),
  RandomUniformLike: randomOperator("input -> output", "dtype high low seed"),
  Bernoulli: randomOperator("input -> output", "dtype seed"),
  Multinomial: randomOperator("input -> output", "dtype sample_size seed"),
  Dropout: randomOperator("data ratio? training_mode? -> output mask?", "seed"),
};
