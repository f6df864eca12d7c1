"""ONNX files of graphs, with weights beside them where one file cannot hold them."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import onnx

from ditr_train.data.errors import DataError

LARGEST_FILE = 2**31 - 1
"""Bytes that an ONNX file can hold: Protocol Buffers end there. Larger weights lie in a second file."""

_OPERATORS = 2**22
"""More than our graphs take without weights."""

_DTYPES = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.INT32: "int32"}
_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)


def write_graph(model: onnx.ModelProto, path: Path) -> None:
    """Writes a graph and checks it; the same graph always gives the same bytes.

    Weights that make it larger than LARGEST_FILE are moved out of `model`, into `<name>.data` beside `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = path.with_name(f"{path.name}.data")
    data.unlink(missing_ok=True)
    if sum(len(tensor.raw_data) for tensor in model.graph.initializer) + _OPERATORS <= LARGEST_FILE:
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString(deterministic=True))
        return
    onnx.save_model(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location=data.name)
    data.chmod(path.stat().st_mode)  # onnx lets nobody else read it
    onnx.checker.check_model(path, full_check=True)


def read_graph(path: Path) -> onnx.ModelProto:
    """A graph with all its weights. Raises DataError when there is none."""
    try:
        return onnx.load(path)
    except Exception as error:  # what protobuf raises has no types to check it by
        raise DataError(f"{path} is no ONNX graph that can be read: {error}") from error


def copy_graph(source: Path, target: Path) -> None:
    """Copies a graph with the files of its weights, which keep their names."""
    if source.resolve() == target.resolve():
        return
    shutil.copyfile(source, target)
    for data in weight_files(source):
        shutil.copyfile(data, target.with_name(data.name))


def weight_files(path: Path) -> list[Path]:
    """Files that hold weights of a graph beside its own."""
    names = {
        entry.value
        for tensor in onnx.load(path, load_external_data=False).graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return [path.with_name(name) for name in sorted(names)]


def declared_values(path: Path) -> dict[str, list[dict[str, Any]]]:
    """`inputs` and `outputs` of a graph: name, dtype and shape of each, in their order."""
    graph = onnx.load(path, load_external_data=False).graph
    return {
        kind: [
            {
                "name": value.name,
                "dtype": _DTYPES[value.type.tensor_type.elem_type],
                "shape": [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim],
            }
            for value in values
        ]
        for kind, values in (("inputs", graph.input), ("outputs", graph.output))
    }


def weight_count(path: Path) -> int:
    """Numbers that a graph holds as weights: parameters of the network, normalizations merged where the exporter
    did so."""
    graph = onnx.load(path, load_external_data=False).graph
    return sum(math.prod(tensor.dims) for tensor in graph.initializer if tensor.data_type in _FLOATS)
