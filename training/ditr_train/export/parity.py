"""Whether two forms of one network say the same of real scans: PyTorch and ONNX Runtime, float32 and float16."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import onnxruntime
from torch import nn

from ditr_train.config.model_config import Config
from ditr_train.data.scans import LabeledScan, make_sample
from ditr_train.data.source import ScanSource
from ditr_train.evaluation.metrics import ConfusionMatrix
from ditr_train.export.graphs import run_segmentor
from ditr_train.geometry.graph_inputs import GraphInputs
from ditr_train.geometry.pair_tables import declared_inputs
from ditr_train.model.segmentor import Segmentor

Mode = Literal["fused", "image_free"]

MODES: tuple[Mode, ...] = get_args(Mode)

Logits = Callable[[GraphInputs], npt.NDArray[np.float32]]
"""Inputs of a graph -> [V_0, classes]"""

TIE = 1e-3
"""Labels may differ where the two largest logits do not differ by more than this."""


@dataclass(frozen=True)
class Bounds:
    """What two forms may differ by at most."""

    logits: float = np.inf
    """Largest absolute difference of a logit."""
    clear_labels: float = 0.0
    """Smallest share of equal labels of voxels outside ties."""
    labels: float = 0.0
    """Smallest share of equal labels of all voxels."""
    miou: float = np.inf
    """Largest difference of the mIoU."""


FLOAT32_BOUNDS = Bounds(logits=1e-3, clear_labels=1.0)
FLOAT16_BOUNDS = Bounds(labels=0.995, miou=0.002)


@dataclass(frozen=True)
class Form:
    """One form of a network."""

    image_encoder: nn.Module | None
    """images [B, 3, H, W] -> features [B, patches, C_2D]"""
    logits: Mapping[Mode, Logits]
    """Of each mode that it has."""


def pytorch_form(segmentors: Mapping[Mode, Segmentor], image_encoder: nn.Module | None) -> Form:
    """Networks of runs; one and the same may serve both modes."""
    return Form(image_encoder, {mode: _pytorch_logits(segmentor) for mode, segmentor in segmentors.items()})


def onnx_form(sessions: Mapping[Mode, onnxruntime.InferenceSession], image_encoder: nn.Module | None) -> Form:
    """Graphs of a bundle."""
    return Form(image_encoder, {mode: _onnx_logits(session) for mode, session in sessions.items()})


def _pytorch_logits(segmentor: Segmentor) -> Logits:
    def logits(inputs: GraphInputs) -> npt.NDArray[np.float32]:
        return run_segmentor(segmentor, inputs)["logits"]

    return logits


def _onnx_logits(session: onnxruntime.InferenceSession) -> Logits:
    names = [entry.name for entry in session.get_inputs()]

    def logits(inputs: GraphInputs) -> npt.NDArray[np.float32]:
        (found,) = session.run(["logits"], declared_inputs(inputs, names))
        return np.asarray(found)

    return logits


class Agreement:
    """What two forms said in one mode, over scans."""

    def __init__(self, name: str, mode: Mode, classes: Sequence[str]) -> None:
        self.name = name
        """Of the candidate."""
        self.mode = mode
        self.scans = self.voxels = self.equal = self.clear = self.clear_equal = 0
        self.largest_difference = 0.0
        self.scores = (ConfusionMatrix(classes), ConfusionMatrix(classes))
        """Of the reference, then of the candidate."""

    def add(
        self,
        reference: npt.NDArray[np.float32],
        candidate: npt.NDArray[np.float32],
        point_to_voxel: npt.NDArray[np.int32],
        truth: npt.NDArray[np.integer],
    ) -> None:
        """reference, candidate: logits [V, classes]; point_to_voxel, truth [N]."""
        top = np.sort(reference, axis=1)[:, -2:]
        clear = top[:, 1] - top[:, 0] > TIE
        labels = reference.argmax(1), candidate.argmax(1)
        equal = labels[0] == labels[1]
        self.scans += 1
        self.voxels += len(equal)
        self.equal += int(equal.sum())
        self.clear += int(clear.sum())
        self.clear_equal += int((clear & equal).sum())
        self.largest_difference = max(self.largest_difference, float(np.abs(reference - candidate).max()))
        for matrix, label in zip(self.scores, labels, strict=True):
            matrix.add(truth, np.where(point_to_voxel >= 0, label[point_to_voxel], -1))

    @property
    def equal_share(self) -> float:
        return self.equal / self.voxels

    @property
    def clear_equal_share(self) -> float:
        return self.clear_equal / max(1, self.clear)

    def broken(self, bounds: Bounds) -> Iterator[str]:
        """A sentence for each bound that is broken."""
        if not self.largest_difference <= bounds.logits:
            yield f"logits differ by {self.largest_difference:.2g}, more than {bounds.logits:g}"
        if self.clear_equal_share < bounds.clear_labels:
            yield (
                f"{100 * self.clear_equal_share:.4f} % of the labels outside ties are equal, "
                f"not {100 * bounds.clear_labels:g} %"
            )
        if self.equal_share < bounds.labels:
            yield f"{100 * self.equal_share:.3f} % of the labels are equal, not {100 * bounds.labels:g} %"
        difference = abs(self.scores[1].miou() - self.scores[0].miou())
        if difference > bounds.miou:
            yield f"the mIoU differs by {100 * difference:.2f} points, more than {100 * bounds.miou:g}"

    def summary(self) -> dict[str, Any]:
        """As a bundle's `scores` holds it."""
        return {
            "scans": self.scans,
            "voxels": self.voxels,
            "largest_logit_difference": self.largest_difference,
            "equal_labels": self.equal_share,
            "equal_labels_outside_ties": self.clear_equal_share,
            "miou_of_reference": self.scores[0].miou(),
            "miou": self.scores[1].miou(),
        }


def compare_forms(
    reference: Form,
    candidates: Mapping[str, Form],
    sources: Iterable[ScanSource],
    config: Config,
    scans_of: Callable[[ScanSource, nn.Module | None], Sequence[LabeledScan]],
) -> list[Agreement]:
    """Each candidate with the reference on scans: image-free, and fused where there are images.

    Each form sees the features of its own image encoder.
    """
    names = [entry.name for entry in config.classes]
    agreements = [
        Agreement(name, mode, names)
        for name, candidate in candidates.items()
        for mode in reference.logits
        if mode in candidate.logits
    ]
    for source in sources:
        scans = scans_of(source, reference.image_encoder)
        others = {name: scans_of(source, candidate.image_encoder) for name, candidate in candidates.items()}
        for place, scan in enumerate(scans):
            for mode in reference.logits:
                if mode == "fused" and scan.images is None:
                    continue
                sample = make_sample(scan, config, fused=mode == "fused")
                expected = reference.logits[mode](sample.inputs)
                for agreement in agreements:
                    if agreement.mode != mode:
                        continue
                    given = make_sample(others[agreement.name][place], config, fused=mode == "fused")
                    found = candidates[agreement.name].logits[mode](given.inputs)
                    agreement.add(expected, found, sample.point_to_voxel, scan.label)
    return [agreement for agreement in agreements if agreement.scans > 0]
