"""Encodes with onnxruntime on request: the baseline of `cargo xtask bench`.

    python onnx.py MODEL THREADS

Reads lines "PROMPTS TOKENS" from standard input and answers each with the seconds of one run over
that many tokens. The token ids are those of the Rust benchmark; none is padding.
"""

import sys
import time

import numpy
import onnxruntime

VOCABULARY = 20_000


def main() -> None:
    model, threads = sys.argv[1], int(sys.argv[2])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    print(f"onnxruntime {onnxruntime.__version__}", flush=True)
    for line in sys.stdin:
        prompts, tokens = map(int, line.split())
        places = numpy.arange(prompts * tokens, dtype=numpy.int64)
        ids = (1000 + places * 7919 % VOCABULARY).reshape(prompts, tokens)
        inputs = {
            "input_ids": ids,
            "attention_mask": numpy.ones_like(ids),
            "token_type_ids": numpy.zeros_like(ids),
        }
        started = time.perf_counter()
        (states,) = session.run(["last_hidden_state"], inputs)
        seconds = time.perf_counter() - started
        print(seconds, float(numpy.abs(states).mean()), flush=True)


main()
