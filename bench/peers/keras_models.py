"""python keras_models.py FOLDER

Keras' applications and what else its layers are put together to, with weights at random, as Keras exports them, and by way of
TensorFlow Lite as tf2onnx converts it. Nothing is downloaded. As `architectures.py` writes them.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
import onnx
import tensorflow as tf
from keras import layers as L
from keras import ops

folder = Path(sys.argv[1])
random = np.random.RandomState(0)
side = 96


def named(name):
    def with_name(build):
        build.__name__ = name
        return build

    return with_name


def with_statistics(model, x):
    """Batch norms that have seen something: of those that have not, rounding is all that is left after many layers."""
    for layer in model._flatten_layers():
        if isinstance(layer, L.BatchNormalization):
            layer.momentum = 0.0
    model(np.concatenate([x, random.randn(*x.shape).astype("float32")]), training=True)
    return model


class Positions(L.Layer):
    """Of places, added to what lies there."""

    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], initializer="random_normal", name="table")

    def call(self, x):
        return x + self.table


def application(name, size=side, **options):
    @named(name)
    def build():
        make = getattr(keras.applications, name)
        model = make(weights=None, classes=10, input_shape=(size, size, 3), **options)
        x = random.rand(1, size, size, 3).astype("float32") * 2 - 1
        return with_statistics(model, x), x

    return build


def floats(name, *shape):
    """Of a function from numbers of this shape to what comes of them."""

    def of(layers):
        @named(name)
        def build():
            given = keras.Input(shape)
            x = random.randn(1, *shape).astype("float32")
            return with_statistics(keras.Model(given, layers(given)), x), x

        return build

    return of


def images(name, channels=3, size=32):
    return floats(name, size, size, channels)


def steps(name, length=32, width=8):
    return floats(name, length, width)


def tokens(name, length=24, words=200):
    def of(layers):
        @named(name)
        def build():
            given = keras.Input((length,), dtype="int32")
            x = random.randint(0, words, (1, length)).astype("int32")
            return keras.Model(given, layers(given)), x

        return build

    return of


@images("U-Net")
def u_net(x):
    def block(x, width):
        for _ in range(2):
            x = L.ReLU()(L.BatchNormalization()(L.Conv2D(width, 3, padding="same")(x)))
        return x

    kept = []
    for width in (8, 16, 32):
        x = block(x, width)
        kept.append(x)
        x = L.MaxPooling2D()(x)
    x = block(x, 64)
    for width in (32, 16, 8):
        x = L.Conv2DTranspose(width, 2, strides=2)(x)
        x = block(L.Concatenate()([x, kept.pop()]), width)
    return L.Conv2D(2, 1, activation="softmax")(x)


@images("autoencoder", 1)
def autoencoder(x):
    for width in (8, 16):
        x = L.LeakyReLU(0.2)(L.Conv2D(width, 3, strides=2, padding="same")(x))
    x = L.Dense(12)(L.Flatten()(x))
    x = L.Reshape((8, 8, 16))(L.Dense(8 * 8 * 16, activation="relu")(x))
    for width in (16, 8):
        x = L.Conv2DTranspose(width, 3, strides=2, padding="same", activation="relu")(x)
    return L.Conv2D(1, 3, padding="same", kernel_initializer="random_normal")(L.BatchNormalization()(x))


@images("super resolution", 1)
def super_resolution(x):
    features = L.PReLU(shared_axes=[1, 2])(L.Conv2D(16, 5, padding="same")(x))
    for _ in range(2):
        y = L.Conv2D(16, 3, padding="same", activation="relu")(features)
        features = L.Add()([features, L.Conv2D(16, 3, padding="same")(y)])
    y = L.Conv2D(4, 3, padding="same")(features)
    y = ops.reshape(y, (-1, 32, 32, 2, 2, 1))
    y = ops.reshape(ops.transpose(y, (0, 1, 3, 2, 4, 5)), (-1, 64, 64, 1))
    return y + L.UpSampling2D(interpolation="bilinear")(x)


@images("preprocessing in the model")
def preprocessing(x):
    x = L.Rescaling(1 / 127.5, offset=-1)(L.Resizing(48, 48)(x))
    x = L.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = L.SeparableConv2D(16, 3, strides=2, activation="swish")(x)
    x = L.Cropping2D(1)(L.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x))
    x = L.GroupNormalization(4)(x)
    gate = L.Dense(32, activation="hard_sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    return L.Dense(10)(L.GlobalMaxPooling2D()(L.Multiply()([x, gate])))


@images("vision transformer")
def vision_transformer(x):
    x = L.Reshape((64, 32))(L.Conv2D(32, 4, strides=4)(x))
    x = Positions()(x)
    for _ in range(2):
        y = L.LayerNormalization(epsilon=1e-6)(x)
        x = L.Add()([x, L.MultiHeadAttention(4, 8, dropout=0.1)(y, y)])
        y = L.Dense(64, activation="gelu")(L.LayerNormalization(epsilon=1e-6)(x))
        x = L.Add()([x, L.Dense(32)(L.Dropout(0.1)(y))])
    return L.Dense(10)(L.Flatten()(L.LayerNormalization()(x)))


@images("feature pyramid", size=64)
def feature_pyramid(x):
    levels = []
    for width in (16, 32, 64):
        x = L.Conv2D(width, 3, strides=2, padding="same", activation="relu6")(x)
        levels.append(L.Conv2D(24, 1)(x))
    merged = [levels[-1]]
    for level in reversed(levels[:-1]):
        merged.append(L.Add()([L.UpSampling2D()(merged[-1]), level]))
    heads = [L.Reshape((-1, 6))(L.Conv2D(12, 3, padding="same")(one)) for one in merged]
    return L.Concatenate(axis=1)(heads)


@images("video, frame by frame", channels=1)
def convolved_over_time(x):
    x = L.Reshape((4, 8, 32, 1))(x)
    x = L.ConvLSTM2D(4, 3, padding="same")(x)
    return L.Dense(5)(L.Flatten()(x))


@images("volume", channels=16)
def volume(x):
    x = L.Reshape((32, 32, 16, 1))(x)
    x = L.MaxPooling3D(2)(L.Conv3D(4, 3, padding="same", activation="relu")(x))
    return L.Dense(5)(L.GlobalAveragePooling3D()(L.Conv3D(8, 3)(x)))


@steps("WaveNet", 64, 1)
def wave_net(x):
    x = L.Conv1D(8, 1)(x)
    skips = []
    for rate in (1, 2, 4, 8):
        y = L.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation="tanh")(x)
        gate = L.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation="sigmoid")(x)
        y = L.Multiply()([y, gate])
        skips.append(L.Conv1D(8, 1)(y))
        x = L.Add()([x, L.Conv1D(8, 1)(y)])
    return L.Conv1D(1, 1)(L.Activation("relu")(L.Add()(skips)))


@steps("activity")
def activity(x):
    x = L.MaxPooling1D(2)(L.Conv1D(16, 5, activation="elu", padding="same")(x))
    x = L.Bidirectional(L.LSTM(12, return_sequences=True))(x)
    x = L.AdditiveAttention()([x, x])
    return L.Dense(6, activation="softmax")(L.GlobalAveragePooling1D()(x))


@steps("residual steps")
def residual_steps(x):
    for width in (16, 32):
        short = L.BatchNormalization()(L.Conv1D(width, 1, strides=2, padding="same")(x))
        y = L.Activation("relu")(L.BatchNormalization()(L.Conv1D(width, 7, strides=2, padding="same")(x)))
        x = L.Activation("relu")(L.Add()([short, L.BatchNormalization()(L.Conv1D(width, 5, padding="same")(y))]))
    return L.Dense(3, activation="softmax")(L.Dropout(0.2)(L.GlobalAveragePooling1D()(x)))


@steps("series transformer")
def series_transformer(x):
    for _ in range(2):
        y = L.LayerNormalization(epsilon=1e-6)(x)
        x = x + L.MultiHeadAttention(2, 16)(y, y)
        y = L.Conv1D(16, 1, activation="relu")(L.LayerNormalization(epsilon=1e-6)(x))
        x = x + L.Conv1D(x.shape[-1], 1)(y)
    return L.Dense(1)(L.GlobalAveragePooling1D(data_format="channels_first")(x))


@tokens("text convolution")
def text_convolution(x):
    x = L.Embedding(200, 16)(x)
    kinds = [L.GlobalMaxPooling1D()(L.Conv1D(12, width, activation="relu")(x)) for width in (3, 4, 5)]
    return L.Dense(4, activation="softmax")(L.Concatenate()(kinds))


@tokens("text transformer")
def text_transformer(x):
    x = Positions()(L.Embedding(200, 32)(x))
    y = L.MultiHeadAttention(4, 8)(x, x)
    x = L.LayerNormalization()(x + y)
    x = L.LayerNormalization()(x + L.Dense(32)(L.Dense(64, activation="relu")(x)))
    return L.Dense(2, activation="softmax")(L.GlobalAveragePooling1D()(x))


@tokens("masked words")
def masked_words(x):
    y = L.Embedding(200, 16, mask_zero=True)(x)
    y = L.MultiHeadAttention(2, 8)(y, y, use_causal_mask=True)
    return L.Dense(200)(L.GRU(16, return_sequences=True)(y))


builders = [
    *map(application, ["MobileNet", "MobileNetV2", "ResNet50V2", "DenseNet121"]),
    application("MobileNetV3Small", include_preprocessing=True),
    application("EfficientNetV2B0", include_preprocessing=False),
    application("InceptionV3", 112),
    u_net,
    autoencoder,
    super_resolution,
    preprocessing,
    vision_transformer,
    feature_pyramid,
    convolved_over_time,
    volume,
    wave_net,
    activity,
    residual_steps,
    series_transformer,
    text_convolution,
    text_transformer,
    masked_words,
]


def by_keras(model, path, x):
    model.export(path, format="onnx", verbose=False)


def by_lite(model, path, x):
    with tempfile.TemporaryDirectory() as place:
        model.export(place, format="tf_saved_model", verbose=False)
        lite = tf.lite.TFLiteConverter.from_saved_model(place).convert()
        file = Path(place) / "model.tflite"
        file.write_bytes(lite)
        command = ["-m", "tf2onnx.convert", "--tflite", str(file), "--output", path, "--opset", "17"]
        subprocess.run([sys.executable, *command], check=True, capture_output=True)


ways = {"Keras": by_keras, "TensorFlow Lite": by_lite}


def listed(array):
    dtype = "float32" if array.dtype.kind == "f" else str(array.dtype)
    return {"type": dtype, "dims": list(array.shape), "data": array.ravel().tolist()}


for build in builders:
    keras.utils.set_random_seed(0)
    model, x = build()
    y = np.asarray(model(x))
    for way, write in ways.items():
        name = f"{build.__name__}, {way}"
        path = folder / f"{name.replace(', ', '-').replace(' ', '-')}.onnx"
        try:
            write(model, str(path), x)
            [given] = onnx.load(path, load_external_data=False).graph.input
        except Exception as error:  # Of any kind: exporters raise what they like.
            path.unlink(missing_ok=True)
            print(json.dumps({"name": name, "error": str(error).splitlines()[0][:100]}), flush=True)
            continue
        Path(f"{path}.json").write_text(
            json.dumps({"inputs": {given.name: listed(x)}, "outputs": [listed(y)]})
        )
        print(json.dumps({"name": name, "file": path.name}), flush=True)
