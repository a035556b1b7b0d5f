"""Times short embeddings with onnxruntime; called by minilm_onnx.sh."""

import statistics
import sys
import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


def main() -> None:
    model, tokenizer_file, threads, texts, pair = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = {entry.name for entry in session.get_inputs()}
    tokenizer = Tokenizer.from_file(tokenizer_file)
    tokenizer.no_padding()

    def embed(text: str) -> np.ndarray:
        encoding = tokenizer.encode(text)
        ids = np.array([encoding.ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        output = session.run(None, {name: value for name, value in inputs.items() if name in names})[0]
        vector = output.mean(axis=1)[0] if output.ndim == 3 else output[0]
        return vector / np.linalg.norm(vector)

    embed("warm")
    times = []
    for number in range(texts):
        text = f"How do I restore backup {number} of the database on machine {pair}?"
        begun = time.perf_counter()
        embed(text)
        times.append((time.perf_counter() - begun) * 1e3)
    print(f"{statistics.median(times):.4f}")


if __name__ == "__main__":
    main()
