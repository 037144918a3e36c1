import { operator } from "./operator.js";

const nodes =
  "nodes_falsenodeids nodes_featureids nodes_hitrates nodes_hitrates_as_tensor nodes_missing_value_tracks_true nodes_modes nodes_nodeids nodes_treeids nodes_truenodeids nodes_values nodes_values_as_tensor post_transform base_values base_values_as_tensor";
const kernel = "coefficients kernel_params kernel_type post_transform rho support_vectors";

/** ai.onnx.ml: what scikit-learn, XGBoost and LightGBM export. */
export const classicalSchemas = {
  "ai.onnx.ml::ArrayFeatureExtractor": operator("X Y -> Z"),
  "ai.onnx.ml::Binarizer": operator("X -> Y", "threshold"),
  "ai.onnx.ml::FeatureVectorizer": operator("X... -> Y", "inputdimensions"),
  "ai.onnx.ml::Imputer": operator(
    "X -> Y",
    "imputed_value_floats imputed_value_int64s replaced_value_float replaced_value_int64",
  ),
  "ai.onnx.ml::LabelEncoder": operator(
    "X -> Y",
    "default_float default_int64 default_string default_tensor keys_floats keys_int64s keys_strings keys_tensor values_floats values_int64s values_strings values_tensor",
  ),
  "ai.onnx.ml::LinearClassifier": operator(
    "X -> Y Z",
    "classlabels_ints classlabels_strings coefficients intercepts multi_class post_transform",
  ),
  "ai.onnx.ml::LinearRegressor": operator(
    "X -> Y",
    "coefficients intercepts post_transform targets",
  ),
  "ai.onnx.ml::Normalizer": operator("X -> Y", "norm"),
  "ai.onnx.ml::OneHotEncoder": operator("X -> Y", "cats_int64s cats_strings zeros"),
  "ai.onnx.ml::SVMClassifier": operator(
    "X -> Y Z",
    `classlabels_ints classlabels_strings prob_a prob_b vectors_per_class ${kernel}`,
  ),
  "ai.onnx.ml::SVMRegressor": operator("X -> Y", `n_supports one_class ${kernel}`),
  "ai.onnx.ml::Scaler": operator("X -> Y", "offset scale"),
  "ai.onnx.ml::TreeEnsembleClassifier": operator(
    "X -> Y Z",
    `class_ids class_nodeids class_treeids class_weights class_weights_as_tensor classlabels_int64s classlabels_strings ${nodes}`,
  ),
  "ai.onnx.ml::TreeEnsembleRegressor": operator(
    "X -> Y",
    `aggregate_function n_targets target_ids target_nodeids target_treeids target_weights target_weights_as_tensor ${nodes}`,
  ),
  "ai.onnx.ml::ZipMap": operator("X -> Z", "classlabels_int64s classlabels_strings"),
};
