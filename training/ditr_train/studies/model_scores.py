"""Finished models on labelled scans of several sensors: whole classes and groups of them, with images and without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ditr_train.config.model_config import Config
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import LabeledScan, make_sample
from ditr_train.data.soft_labels import SoftLabelFolder
from ditr_train.data.source import ScanSource
from ditr_train.evaluation.groups import ClassGroups
from ditr_train.evaluation.metrics import ConfusionMatrix
from ditr_train.export.bundle import read_document
from ditr_train.export.parity import MODES, Form, Mode
from ditr_train.methods.bundle_form import bundle_form
from ditr_train.methods.seen_scans import seen_scans


@dataclass(frozen=True)
class ModelScore:
    """One model in one mode on the scans of one set."""

    model: str
    scans_of: str
    """Name of the set."""
    mode: Mode
    scans: int
    trained_on: bool
    """Does the bundle say that it, or what it started from, was trained on scans of that name?"""
    groups: dict[str, float]
    """IoU, 0..1, of each group that occurs in the truth."""
    group_miou: float
    group_accuracy: float
    """Share of the points that have a group in the truth."""
    class_miou: float | None
    """Over the classes that occur in the truth; None where no point has the label of a single class."""


def model_scores(
    models: Iterable[Path],
    config: Config,
    sets: Mapping[str, Sequence[ScanSource]],
    groups: ClassGroups,
    soft_labels: SoftLabelFolder | None,
    *,
    progress: bool,
) -> Iterator[ModelScore]:
    """Each bundle's graphs on each set: image-free, and fused on the scans with images where it has the graphs.

    Truth is what the scans' labels say, and of points without one what `soft_labels` leave a single group for.
    Raises ConfigError for a bundle of another network than the configuration's.
    """
    for model in models:
        form = bundle_form(model, config)
        trained = {_data_set(name) for name in seen_scans(read_document(model)["training"])["trained on"]}
        for name, sources in sets.items():
            scans = load_scans(sources, config, form.image_encoder, soft_labels=soft_labels, progress=progress)
            for score in _scores(model.name, form, name, scans, config, groups):
                yield replace(score, trained_on=_data_set(name) in trained)


def _data_set(name: str) -> str:
    """A source's name without the numbers of its scans: neighbours on one street are not held out from each other."""
    return name.partition("/")[0]


def _scores(
    model: str, form: Form, name: str, scans: Sequence[LabeledScan], config: Config, groups: ClassGroups
) -> Iterator[ModelScore]:
    """Of each mode, each scan being read once."""
    classes = [entry.name for entry in config.classes]
    counts = {mode: 0 for mode in reversed(MODES) if mode in form.logits}
    coarse = {mode: ConfusionMatrix(groups.names) for mode in counts}
    fine = {mode: ConfusionMatrix(classes) for mode in counts}
    for scan in scans:
        sample = make_sample(scan, config, fused="fused" in counts)
        for mode in counts:
            if mode == "fused" and scan.images is None:
                continue
            shown = sample if mode == "fused" else sample.without_images()
            label = form.logits[mode](shown.inputs).argmax(1)
            label = np.where(sample.point_to_voxel >= 0, label[sample.point_to_voxel], -1)
            coarse[mode].add(groups.truth(scan), groups.prediction(label))
            fine[mode].add(scan.label, label)
            counts[mode] += 1
    for mode, count in counts.items():
        if count == 0:
            continue
        found, class_miou = coarse[mode], fine[mode].miou() if fine[mode].counts.any() else None
        yield ModelScore(model, name, mode, count, False, found.iou(), found.miou(), found.accuracy(), class_miou)


def score_table(scores: Sequence[ModelScore], groups: Sequence[str]) -> str:
    """Markdown, in percent: a line for each model, set and mode."""
    head = [
        "scans of",
        "model",
        "mode",
        "trained on",
        "scans",
        "mIoU of groups",
        *groups,
        "points right",
        "mIoU of classes",
    ]
    lines = [head, ["---"] * 4 + ["---:"] * (len(head) - 4)]
    for score in sorted(scores, key=lambda each: each.scans_of):
        ious = [score.groups.get(group) for group in groups]
        values = [score.group_miou, *ious, score.group_accuracy, score.class_miou]
        cells = ["-" if value is None else f"{100 * value:.1f}" for value in values]
        seen = "yes" if score.trained_on else "no"
        lines.append([score.scans_of, score.model, score.mode.replace("_", "-"), seen, str(score.scans), *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
