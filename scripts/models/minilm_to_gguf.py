#!/usr/bin/env python3
"""Turn all-MiniLM-L6-v2 (safetensors and vocab.txt) into a GGUF file for llama.cpp.

The result depends on the input bytes and the type alone (fixed order of keys and tensors,
no dates, no host names), so that its SHA-256 can be checked like that of a download.
Needs the PyPI package `gguf`; scripts/models/get.sh installs and calls it.
"""

from __future__ import annotations

import argparse
import json
import struct
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import quantize

TYPES = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
WORD_START = "\u2581"


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The float32 tensors of a safetensors file, by name."""
    data = path.read_bytes()
    (header_size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + header_size])
    body = memoryview(data)[8 + header_size :]
    tensors = {}
    for name, info in header.items():
        if name == "__metadata__" or info["dtype"] != "F32":
            continue  # position_ids are integers, and counted by llama.cpp itself
        begin, end = info["data_offsets"]
        tensors[name] = np.frombuffer(body[begin:end], dtype="<f4").reshape(info["shape"])
    return tensors


def special_ids(vocabulary: list[str]) -> dict[str, int]:
    return {name: vocabulary.index(f"[{name.upper()}]") for name in ("cls", "sep", "unk", "pad", "mask")}


def as_word_pieces(vocabulary: list[str]) -> list[str]:
    """WordPiece as llama.cpp wants it: word starts are marked, continuations are bare."""

    def piece(token: str) -> str:
        if token.startswith("[") and token.endswith("]"):
            return token
        return token[2:] if token.startswith("##") else WORD_START + token

    return [piece(token) for token in vocabulary]


def write_model_keys(writer: gguf.GGUFWriter, config: dict, file_type: gguf.LlamaFileType) -> None:
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_license("apache-2.0")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_file_type(file_type)


def write_tokenizer_keys(writer: gguf.GGUFWriter, config: dict, vocabulary: list[str]) -> None:
    special = special_ids(vocabulary)
    kinds = [gguf.TokenType.NORMAL] * len(vocabulary)
    for index in special.values():
        kinds[index] = gguf.TokenType.CONTROL
    writer.add_tokenizer_model("bert")
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_token_list(as_word_pieces(vocabulary))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(special["cls"])
    writer.add_eos_token_id(special["sep"])
    writer.add_sep_token_id(special["sep"])
    writer.add_unk_token_id(special["unk"])
    writer.add_pad_token_id(special["pad"])
    writer.add_mask_token_id(special["mask"])
    writer.add_add_bos_token(True)
    writer.add_add_sep_token(True)


def write_tensors(
    writer: gguf.GGUFWriter,
    tensors: dict[str, np.ndarray],
    layers: int,
    weight_type: gguf.GGMLQuantizationType,
) -> None:
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, layers)
    for source in sorted(tensors):
        if source.startswith("pooler."):
            continue  # sentence embeddings are the mean over tokens; the pooler is not used
        name = names.get_name(source, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise SystemExit(f"tensor {source} has no name in GGUF")
        tensor = tensors[source]
        small = tensor.ndim == 1 or name.startswith(("position_embd", "token_types"))
        kind = gguf.GGMLQuantizationType.F32 if small else weight_type
        writer.add_tensor(name, quantize(tensor, kind), raw_dtype=kind)


def convert(source: Path, kind: str, output: Path) -> None:
    weight_type, file_type = TYPES[kind]
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    vocabulary = (source / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    if len(vocabulary) != config["vocab_size"]:
        raise SystemExit(f"vocab.txt has {len(vocabulary)} tokens, config.json says {config['vocab_size']}")
    writer = gguf.GGUFWriter(output, "bert")
    write_model_keys(writer, config, file_type)
    write_tokenizer_keys(writer, config, vocabulary)
    write_tensors(writer, read_safetensors(source / "model.safetensors"), config["num_hidden_layers"], weight_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, required=True, help="folder with model.safetensors, vocab.txt and config.json")
    parser.add_argument("--type", choices=sorted(TYPES), required=True, help="type of the weights")
    parser.add_argument("--output", type=Path, required=True, help="GGUF file to write")
    arguments = parser.parse_args()
    convert(arguments.source, arguments.type, arguments.output)


if __name__ == "__main__":
    main()
