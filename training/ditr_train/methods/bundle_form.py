"""A bundle's graphs in ONNX Runtime, as the form of a network."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from ditr_train.config.model_config import Config
from ditr_train.export.bundle import read_document
from ditr_train.export.bundle_weights import require_same_network, session
from ditr_train.export.float16_emulation import round_every_tensor
from ditr_train.export.graph_file import read_graph
from ditr_train.export.parity import MODES, Form, onnx_form
from ditr_train.methods.frozen_encoder import OnnxImageEncoder


def bundle_form(folder: Path, config: Config, *, rounded: bool = False) -> Form:
    """The graphs of a bundle; `rounded` as an accelerator computes those in float16.

    Raises ConfigError when the bundle is not of the configuration's network, DataError for a graph that cannot be read.
    """
    require_same_network(folder, config)
    graphs = read_document(folder)["graphs"]

    def open_graph(name: str) -> onnxruntime.InferenceSession:
        path = folder / graphs[name]["file"]
        return session(round_every_tensor(read_graph(path)).SerializeToString() if rounded else path)

    encoder = OnnxImageEncoder(open_graph("image_encoder")) if "image_encoder" in graphs else None
    return onnx_form({mode: open_graph(mode) for mode in MODES if mode in graphs}, encoder)
