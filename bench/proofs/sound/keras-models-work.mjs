import { findKeras } from "../../peers/python.mjs";
import { architecturesWork } from "./support/architectures-work.mjs";

// Keras' applications and layers, with weights at random, as Keras exports them and by way of TensorFlow Lite.
export const prove = architecturesWork("keras_models.py", findKeras);
