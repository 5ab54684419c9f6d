"""The machine's own rate of float32 matrix multiplication, in TensorFlow.

A program of the benchmarks: a turn is some seconds' worth of products of two
large square matrices, its rate is in GFLOP/s. What it writes and reads is what
`compare.Program` says.
"""

import argparse
import json
import sys
import time

import tensorflow as tf

from tfsemae import devices

SIDE = 2048
_PRODUCTS = 4  # per turn


def main() -> None:
    """Multiplies turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", required=True, type=int)
    devices.set_threads(parser.parse_args().threads)
    factor = tf.random.stateless_uniform([SIDE, SIDE], seed=[0, 0])
    tf.matmul(factor, factor)
    print(json.dumps({}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(_PRODUCTS):
            tf.matmul(factor, factor)
        seconds = time.perf_counter() - began
        print(2 * SIDE**3 * _PRODUCTS / seconds / 1e9, flush=True)


if __name__ == "__main__":
    main()
