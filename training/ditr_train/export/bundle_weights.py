"""The way back from a bundle's graphs to networks: to train on from what was shipped, with no checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config, ConfigError
from ditr_train.data.errors import DataError
from ditr_train.data.scans import LabeledScan, make_sample
from ditr_train.export.bundle import describe_backbone, read_document
from ditr_train.export.graphs import example_inputs, run_segmentor
from ditr_train.geometry.pair_tables import declared_inputs
from ditr_train.model.segmentor import Segmentor

TOLERANCE = 1e-3
"""Largest difference between the logits of a graph and of the network that was read from it."""


@dataclass(frozen=True)
class BundleWeights:
    """The image-free network of a bundle."""

    segmentor: Segmentor
    folded: tuple[str, ...]
    """Batch normalizations that the exporter merged into the linear layer before them. Here they are the
    identity in evaluation, but not in training, until `unfold` has seen scans."""


def graph_file(folder: Path, name: str) -> Path:
    """File of a bundle's graph. Raises DataError when the bundle has none of that name in float32."""
    graph = read_document(folder)["graphs"].get(name)
    if graph is None:
        raise DataError(f"{folder}: the bundle has no graph {name}")
    if graph["precision"] != "float32":
        raise DataError(f"{folder}: its graph {name} is {graph['precision']}; only float32 can be trained on")
    return folder / str(graph["file"])


def session(graph: Path | bytes) -> onnxruntime.InferenceSession:
    """A graph's file, or what would be in it, on as many CPU threads as PyTorch uses."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common base but this
        name = "a graph" if isinstance(graph, bytes) else graph
        raise DataError(f"{name}: {str(error).splitlines()[0]}") from error


def read_image_free(folder: Path, config: Config) -> BundleWeights:
    """The network whose graph is the bundle's `image_free`, checked to give the same logits.

    `config` must describe the same backbone and classes. Raises ConfigError when it does not, or when the
    graph's initializers are not those of the network.
    """
    path = graph_file(folder, "image_free")
    require_same_network(folder, config)
    segmentor = Segmentor(Config(config.name, config.description, config.classes, config.backbone, config.training))
    tensors = {
        initializer.name.removeprefix("segmentor."): torch.from_numpy(onnx.numpy_helper.to_array(initializer).copy())
        for initializer in onnx.load(path).graph.initializer
    }
    state = segmentor.state_dict()
    folded = tuple(
        name
        for name, module in segmentor.named_modules()
        if isinstance(module, nn.BatchNorm1d) and f"{name}.running_mean" not in tensors
    )
    for name in folded:
        norm = segmentor.get_submodule(name)
        assert isinstance(norm, nn.BatchNorm1d)
        tensors |= {f"{name}.{key}": value for key, value in _identity(norm).items()}
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            tensors[name] = value
        elif name not in tensors:
            tensors[name] = _by_shape(tensors, state, value, f"{path}: the initializer {name}")
    try:
        segmentor.load_state_dict({name: tensors[name] for name in state})
    except RuntimeError as error:
        raise ConfigError(f"{path}: its weights are not those of the configuration's network: {error}") from error
    _require_same_logits(segmentor.eval(), path, config)
    return BundleWeights(segmentor, folded)


def unfold(weights: BundleWeights, scans: Sequence[LabeledScan], config: Config) -> None:
    """Gives the folded normalizations the statistics of some scans, so that the network computes the same in
    training, where batches are normalized, as in evaluation.

    A folded normalization's input x is its old output. With the mean and variance of x over the scans as
    running statistics, as bias and as squared weight, it is still the identity.
    """
    inputs: dict[str, list[Tensor]] = {name: [] for name in weights.folded}
    hooks = [
        weights.segmentor.get_submodule(name).register_forward_pre_hook(
            lambda _, arguments, name=name: inputs[name].append(arguments[0])
        )
        for name in weights.folded
    ]
    with torch.no_grad():
        for scan in scans:
            sample = make_sample(scan, config, fused=False)
            weights.segmentor.eval()({name: torch.from_numpy(value) for name, value in sample.inputs.items()})
        for hook in hooks:
            hook.remove()
        for name, values in inputs.items():
            norm = weights.segmentor.get_submodule(name)
            assert isinstance(norm, nn.BatchNorm1d)
            x = torch.cat(values)
            variance, mean = torch.var_mean(x, dim=0, correction=0)
            norm.load_state_dict(
                {
                    "running_mean": mean,
                    "running_var": variance,
                    "weight": (variance + norm.eps).sqrt(),
                    "bias": mean,
                    "num_batches_tracked": norm.state_dict()["num_batches_tracked"],
                }
            )


def _identity(norm: nn.BatchNorm1d) -> dict[str, Tensor]:
    zero, one = torch.zeros(norm.num_features), torch.ones(norm.num_features)
    return {"running_mean": zero, "running_var": one, "weight": (one + norm.eps).sqrt(), "bias": zero}


def _by_shape(tensors: dict[str, Tensor], state: dict[str, Tensor], value: Tensor, what: str) -> Tensor:
    """The one initializer of a shape that has no name of the network: the exporter renames some."""
    found = [t for name, t in tensors.items() if name not in state and t.shape == value.shape]
    if len(found) != 1:
        raise ConfigError(f"{what} of shape {list(value.shape)} was not found")
    return found[0]


def require_same_network(folder: Path, config: Config) -> None:
    """Raises ConfigError when the backbone or the classes of a bundle are not those of the configuration."""
    document = read_document(folder)
    expected = json.loads(json.dumps(describe_backbone(config.backbone)))
    for key, value in expected.items():
        if document["backbone"].get(key) != value:
            raise ConfigError(
                f"{folder}: its backbone.{key} is {document['backbone'].get(key)}, the configuration's is {value}"
            )
    if [entry["id"] for entry in document["classes"]] != [entry.id for entry in config.classes]:
        raise ConfigError(f"{folder}: its classes are not the configuration's")


def _require_same_logits(segmentor: Segmentor, path: Path, config: Config) -> None:
    inputs = example_inputs(config, fused=False)
    graph = session(path)
    names = [entry.name for entry in graph.get_inputs()]
    (logits,) = graph.run(["logits"], declared_inputs(inputs, names))
    difference = float(np.abs(logits - run_segmentor(segmentor, inputs)["logits"]).max())
    if not difference <= TOLERANCE:
        raise ConfigError(f"{path}: the network read from it differs by {difference:.2g} in its logits")
