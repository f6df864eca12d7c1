"""Scans of bags and data sets, with the image features of their points."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ditr_train.config import Config
from ditr_train.data.bag import Frame, read_frames
from ditr_train.data.dataset import FrameDataset
from ditr_train.data.images import decode_image, normalize, patch_grid
from ditr_train.data.scans import IGNORED, LabeledScan, PointImageFeatures, class_indices
from ditr_train.data.source import DatasetSplit, ScanSource
from ditr_train.data.stored_scans import StoredScan, StoredScans
from ditr_train.device import device_of
from ditr_train.projection import assign_patches


def load_scans(
    sources: Sequence[ScanSource], config: Config, encoder: nn.Module | None, *, labels: bool = True, progress: bool
) -> Sequence[LabeledScan]:
    """All scans of bags and data sets, with image features where an encoder is given and there is an image.

    Scans of bags are held in memory, those of data sets are read, and their image features computed, each time
    that they are asked for. Without `labels` the clouds need no labels, and every point is IGNORED.
    Raises DataError for a bag or a data set that cannot be used.
    """
    loaded: list[LabeledScan] = []
    stored: list[StoredScan] = []
    names = _field_names(config, labels=labels)
    for source in tqdm(sources, desc="reading bags", unit="bag", disable=not progress):
        if isinstance(source, DatasetSplit):
            stored += _stored_scans(source.open(), config, encoder, names, labels=labels)
        else:
            loaded += [_labeled_scan(frame, config, encoder) for frame in read_frames(source, config.topics, names)]
    return StoredScans([*loaded, *stored]) if stored else loaded


def _stored_scans(
    dataset: FrameDataset, config: Config, encoder: nn.Module | None, names: list[str], *, labels: bool
) -> list[StoredScan]:
    if labels:
        dataset.require_classes(config.classes)

    def read(index: int, images: bool) -> LabeledScan:
        used = encoder if images else None
        frame = dataset.frame(index, names, config.topics.label_field, images=used is not None)
        return _labeled_scan(frame, config, used)

    return [
        StoredScan(
            _scan_name(dataset.frame_name(index), dataset.stamp(index)),
            encoder is not None and dataset.has_images(index),
            partial(read, index),
        )
        for index in range(len(dataset))
    ]


def _scan_name(origin: str, stamp: int) -> str:
    return f"{origin}@{stamp}"


def _field_names(config: Config, *, labels: bool) -> list[str]:
    features = [feature.name for feature in config.backbone.input_features]
    return list(dict.fromkeys(["x", "y", "z", *features, *([config.topics.label_field] if labels else [])]))


def _labeled_scan(frame: Frame, config: Config, encoder: nn.Module | None) -> LabeledScan:
    label_field = config.topics.label_field
    fields = {name: values for name, values in frame.fields.items() if name != label_field}
    points = len(fields["x"])
    label = np.full(points, IGNORED, np.int8)
    if label_field in frame.fields:
        label = class_indices(frame.fields[label_field], config)
    images = None
    if encoder is not None and frame.exposures:
        assert config.image_encoder is not None
        decoded = [decode_image(exposure.image.encoded, config.image_encoder) for exposure in frame.exposures]
        pixels = torch.from_numpy(normalize(np.stack(decoded), config.image_encoder)).to(device_of(encoder))
        with torch.no_grad():
            features = encoder.eval()(pixels).flatten(0, 1).cpu().numpy()
        xyz = np.stack([fields[axis] for axis in "xyz"], axis=1)
        patch, weight, _ = assign_patches(
            xyz,
            np.arange(points),
            [exposure.view for exposure in frame.exposures],
            patch_grid(config.image_encoder),
            config.image_encoder.sampling,
            config.image_encoder.occlusion,
        )
        images = PointImageFeatures(features, patch, weight)
    return LabeledScan(_scan_name(frame.bag, frame.stamp), fields, label, images)
