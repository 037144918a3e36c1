"""recurrent.py FOLDER: Keras' layers over time as Keras exports them, with a sample and what Keras says of it, and recurrent.json."""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
from keras import layers as L

folder = sys.argv[1]
keras.utils.set_random_seed(1)
given = dict(bias_initializer="random_normal", recurrent_initializer="random_normal")
entries = []


def save(name, model, shape):
    x = np.random.RandomState(0).randn(*shape).astype("float32")
    y = model.predict(x, verbose=0)
    file = name.replace(" ", "-") + ".onnx"
    model.export(os.path.join(folder, file), format="onnx", verbose=False)
    outputs = [np.asarray(one) for one in (y if isinstance(y, list) else [y])]
    entries.append(
        {
            "name": name,
            "file": file,
            "x": {"dims": list(x.shape), "data": x.ravel().tolist()},
            "y": [{"dims": list(one.shape), "data": one.ravel().tolist()} for one in outputs],
        }
    )


def stacked(name, *layers, steps=24, width=16, batch=None, any_length=False):
    first = keras.Input(batch_shape=(batch, None if any_length else steps, width))
    x = first
    for layer in layers:
        x = layer(x)
    save(name, keras.Model(first, x), (batch or 3, steps, width))


stacked("LSTM", L.LSTM(32, **given))
stacked("LSTM of one sample", L.LSTM(32, **given), batch=1)
stacked("LSTMs of any length", L.LSTM(32, return_sequences=True, **given), L.LSTM(16, **given), any_length=True)
stacked("LSTM of hard sigmoids", L.LSTM(32, recurrent_activation="hard_sigmoid", **given))
stacked("LSTM with dropout", L.LSTM(32, dropout=0.2, recurrent_dropout=0.2, **given))
stacked("LSTM backwards", L.LSTM(32, go_backwards=True, **given))
stacked("LSTM with masks", L.Masking(0.0), L.LSTM(32, **given))
stacked("LSTM unrolled", L.LSTM(32, unroll=True, **given))
stacked("GRU", L.GRU(32, **given))
stacked("GRU of one sample", L.GRU(32, **given), batch=1)
stacked("GRUs", L.GRU(32, return_sequences=True, **given), L.GRU(16, **given))
stacked("GRUs of any length", L.GRU(32, return_sequences=True, **given), L.GRU(16, **given), any_length=True)
stacked("GRU reset before", L.GRU(32, reset_after=False, **given))
stacked("GRU with dropout", L.GRU(32, dropout=0.2, recurrent_dropout=0.2, **given))
stacked("GRUs both ways", L.Bidirectional(L.GRU(32, return_sequences=True, **given)), L.Bidirectional(L.LSTM(16, **given)))
stacked("RNN", L.SimpleRNN(32, **given))
stacked("RNN of relus of any length", L.SimpleRNN(32, activation="relu", **given), any_length=True)
stacked("large GRUs", L.GRU(128, return_sequences=True, **given), L.GRU(64, **given), L.Dense(4), steps=60, width=36, batch=1)

first = keras.Input(batch_shape=(None, 24, 16))
encoded, *states = L.LSTM(32, return_state=True, **given)(first)
decoded = L.LSTM(32, return_sequences=True, **given)(L.RepeatVector(9)(encoded), initial_state=states)
save("encoder and decoder", keras.Model(first, L.TimeDistributed(L.Dense(3))(decoded)), (3, 24, 16))

first = keras.Input(batch_shape=(None, 24, 16))
_, state = L.GRU(32, return_state=True, **given)(first)
again = L.GRU(32, return_sequences=True, **given)(first, initial_state=state)
save("GRU that begins where one ended", keras.Model(first, again), (3, 24, 16))

first = keras.Input(batch_shape=(None, 6, 10, 10, 3))
save("LSTM of images", keras.Model(first, L.ConvLSTM2D(4, 3)(first)), (2, 6, 10, 10, 3))

with open(os.path.join(folder, "recurrent.json"), "w") as out:
    json.dump(entries, out)
