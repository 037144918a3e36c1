/** What a verb takes as a model, as its help says it. */
export const aModel = "an ONNX file, or the model.json of a TensorFlow.js model";
