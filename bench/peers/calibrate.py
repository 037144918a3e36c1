"""The calibration phase of onnxruntime.quantization, alone.

    python calibrate.py MODEL SAMPLES --method MinMax|Percentile [--operators …] [--threads N] [--stride N]

SAMPLES is a folder written by write-samples.mjs, whose arrays are held before anything is timed. For each line that is
read, a number of samples, calibrates once on so many (beginning anew when there are no more) and prints a line of JSON: the
seconds, the process's resident bytes before and at most, and the range of each tensor.
"""

import argparse
import contextlib
import gc
import json
import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator


class Samples(CalibrationDataReader):
    def __init__(self, feeds, start, end):
        self.feeds, self.next, self.end = feeds, start, end

    def get_next(self):
        if self.next == self.end:
            return None
        self.next += 1
        return self.feeds[(self.next - 1) % len(self.feeds)]


def read(folder):
    feeds = []
    for file in sorted(Path(folder).glob("*.npz")):
        arrays = dict(np.load(file))
        for index in range(len(next(iter(arrays.values())))):
            feeds.append({name: array[index] for name, array in arrays.items()})
    return feeds


def resident(what):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"/proc says no {what}")


def with_threads(threads):
    """The tool gives no way to say it; its session takes the options that it makes itself."""
    make = onnxruntime.SessionOptions

    def options():
        made = make()
        made.intra_op_num_threads = threads
        return made

    onnxruntime.SessionOptions = options


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("samples")
    parser.add_argument("--method", choices=["MinMax", "Percentile"], required=True)
    parser.add_argument("--operators", help="whose inputs and outputs are observed (default: all)")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--stride", type=int, help="samples that are collected at a time (default: all)")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    if options.threads > 0:
        with_threads(options.threads)
    feeds = read(options.samples)
    operators = options.operators.split(",") if options.operators else None
    print(json.dumps({"ready": len(feeds)}), flush=True)
    for line in sys.stdin:
        count = int(line)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        idle = resident("VmRSS")
        with TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
            started = time.perf_counter()
            calibrator = create_calibrator(
                options.model,
                operators,
                str(Path(folder, "augmented.onnx")),
                CalibrationMethod[options.method],
                # Percentile ranges are symmetric by default; Pare's are not.
                extra_options={"symmetric": False},
            )
            for start in range(0, count, options.stride or count):
                end = min(count, start + (options.stride or count))
                calibrator.collect_data(Samples(feeds, start, end))
            ranges = calibrator.compute_data()
            seconds = time.perf_counter() - started
        peak = resident("VmHWM")
        found = {name: [float(np.ravel(one)[0]) for one in data.range_value] for name, data in ranges.items()}
        del calibrator, ranges
        print(json.dumps({"seconds": seconds, "idle": idle, "peak": peak, "ranges": found}), flush=True)


if __name__ == "__main__":
    main()
