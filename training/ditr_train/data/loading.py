"""Scans of samples and data sets, with the image features of their points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn
from tqdm import tqdm

from ditr_train.config.model_config import Config
from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.bag_samples import open_samples
from ditr_train.data.boxes import boxes_of
from ditr_train.data.candidate_labels import coarse_labels
from ditr_train.data.dataset import FrameDataset
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Frame
from ditr_train.data.point_images import ImageVariation, point_images
from ditr_train.data.regions import PointRegions, RegionSource
from ditr_train.data.sample_folder import SampleFolder
from ditr_train.data.scan_tokens import tokens_of_neighbors, tokens_of_regions
from ditr_train.data.scans import IGNORED, LabeledScan, PointImageFeatures, class_indices
from ditr_train.data.soft_labels import SoftLabelFolder
from ditr_train.data.source import DatasetSplit, ScanSource
from ditr_train.data.stored_scans import StoredScan, StoredScans

HELD_BYTES = 2 << 30
"""Of the scans of samples that one call holds in memory."""


def load_scans(
    sources: Sequence[ScanSource],
    config: Config,
    encoder: nn.Module | None,
    *,
    labels: bool = True,
    regions: RegionSource | None = None,
    soft_labels: SoftLabelFolder | None = None,
    augmentation: AugmentationConfig | None = None,
    boxed: bool = False,
    progress: bool,
) -> Sequence[LabeledScan]:
    """All scans of samples and data sets, with image features where an encoder is given and there is an image.

    Scans of samples are held in memory as far as HELD_BYTES go. The others, and those of data sets, are read, and their
    image features computed, each time that they are asked for. Without `labels` the clouds need no labels, and every
    point is IGNORED. With `regions`, points know which token of the configuration's kind they belong to, and
    these have image features where there is an encoder. Points without a label take what `soft_labels` know of them.
    Where an `augmentation` varies images, `StoredScans.varied` encodes them anew, and scans with images are not
    held in memory. With `boxed` only scans with boxes are loaded, be their points labelled or not.
    Raises DataError for samples, a bag or a data set that cannot be used.
    """
    loaded: list[LabeledScan] = []
    stored: list[StoredScan] = []
    room = HELD_BYTES
    names = _field_names(config, labels=labels)
    if encoder is None or (augmentation is not None and not augmentation.varies_images):
        augmentation = None
    for source in tqdm(sources, desc="reading scans", unit="source", disable=not progress):
        if isinstance(source, DatasetSplit):
            dataset = source.open(config.classes)
            stored += _stored_scans(
                dataset, config, encoder, regions, soft_labels, augmentation, labels=labels, boxed=boxed
            )
            continue
        folder = open_samples(source, config.topics, labels=labels)
        if labels:
            folder.require_classes(config.classes)
        samples = _stored_samples(folder, config, encoder, names, regions, soft_labels, augmentation, boxed=boxed)
        for sample in samples:
            if room <= 0 or sample.read_varied is not None:
                stored.append(sample)
                continue
            scan = sample.read(True)
            loaded.append(scan)
            room -= scan.held_bytes()
    return StoredScans([*loaded, *stored]) if stored else loaded


def named_frames(source: ScanSource, config: Config) -> Iterator[tuple[str, Frame]]:
    """The scans of samples or a data set with their camera images, without labels, and the names that scans have."""
    names = ["x", "y", "z"]
    frames: Iterator[Frame]
    if isinstance(source, DatasetSplit):
        dataset = source.open(config.classes)
        frames = (dataset.frame(i, names, config.topics.label_field, images=True) for i in range(len(dataset)))
    else:
        samples, topics = open_samples(source, config.topics, labels=False), config.topics
        frames = (samples.frame(i, names, topics.label_field, topics.cameras, images=True) for i in range(len(samples)))
    for frame in frames:
        yield _scan_name(frame.bag, frame.stamp), frame


def camera_images(source: ScanSource, config: Config) -> Iterator[tuple[str, CameraImage]]:
    """Each camera image of samples or a data set once, and the file name of its bag, which data sets do not have."""
    if not isinstance(source, DatasetSplit):
        topics = config.topics
        yield from open_samples(source, topics, labels=False).images(topics.cameras)
        return
    dataset = source.open(config.classes)
    seen: set[str] = set()
    for index in range(len(dataset)):
        for exposure in dataset.exposures(index) if dataset.has_images(index) else ():
            if exposure.image.name not in seen:
                seen.add(exposure.image.name)
                yield "", exposure.image


def _stored_samples(
    folder: SampleFolder,
    config: Config,
    encoder: nn.Module | None,
    names: list[str],
    regions: RegionSource | None,
    soft_labels: SoftLabelFolder | None,
    augmentation: AugmentationConfig | None,
    *,
    boxed: bool,
) -> list[StoredScan]:
    topics = config.topics

    def read(index: int, images: bool, variation: ImageVariation | None = None) -> LabeledScan:
        used = encoder if images else None
        known = (soft_labels is None and not boxed) or folder.labelled(index)
        frame = folder.frame(
            index,
            [name for name in names if known or name != topics.label_field],
            topics.label_field,
            topics.cameras,
            images=used is not None or regions is not None,
            regions=regions is not None,
            boxes=config.detection is not None,
        )
        scan = _labeled_scan(frame, config, used, regions, variation=variation)
        return _with_soft_labels(scan, soft_labels, config)

    return [
        _stored(
            _scan_name(folder.bag(index), folder.stamp(index)),
            (encoder is not None or regions is not None) and folder.has_images(index, topics.cameras),
            partial(read, index),
            augmentation,
        )
        for index in range(len(folder))
        if not boxed or folder.has_boxes(index)
    ]


def _stored_scans(
    dataset: FrameDataset,
    config: Config,
    encoder: nn.Module | None,
    regions: RegionSource | None,
    soft_labels: SoftLabelFolder | None,
    augmentation: AugmentationConfig | None,
    *,
    labels: bool,
    boxed: bool,
) -> list[StoredScan]:
    if labels:
        dataset.require_classes(config.classes)
        if not dataset.labelled and soft_labels is None and not boxed:
            raise DataError(f"{dataset.name}: its scans have no labels, and no --soft-labels are given for them")
    names = _field_names(config, labels=labels and dataset.labelled)

    def read(index: int, images: bool, variation: ImageVariation | None = None) -> LabeledScan:
        used = encoder if images else None
        wanted, boxes = used is not None or regions is not None, config.detection is not None
        frame = dataset.frame(index, names, config.topics.label_field, images=wanted, boxes=boxes)
        scan = _labeled_scan(frame, config, used, regions, dataset.learning_map.sets, variation)
        return _with_soft_labels(scan, soft_labels, config)

    return [
        _stored(
            _scan_name(dataset.frame_name(index), dataset.stamp(index)),
            (encoder is not None or regions is not None) and dataset.has_images(index),
            partial(read, index),
            augmentation,
        )
        for index in range(len(dataset))
        if not boxed or dataset.has_boxes(index)
    ]


def _stored(
    name: str, has_images: bool, read: Callable[..., LabeledScan], augmentation: AugmentationConfig | None
) -> StoredScan:
    """`read` is asked whether images are wanted, and for their variation where `augmentation` varies them."""
    if augmentation is None or not has_images:
        return StoredScan(name, has_images, read)
    return StoredScan(name, has_images, read, lambda rng: read(True, ImageVariation(augmentation, rng)))


def _scan_name(origin: str, stamp: int) -> str:
    return f"{origin}@{stamp}"


def _field_names(config: Config, *, labels: bool) -> list[str]:
    features = [feature.name for feature in config.backbone.input_features]
    return list(dict.fromkeys(["x", "y", "z", *features, *([config.topics.label_field] if labels else [])]))


def _labeled_scan(
    frame: Frame,
    config: Config,
    encoder: nn.Module | None,
    source: RegionSource | None,
    sets: Mapping[int, Sequence[int]] | None = None,
    variation: ImageVariation | None = None,
) -> LabeledScan:
    """`sets` are the class ids that the ids of coarse labels stand for."""
    label_field = config.topics.label_field
    fields = {name: values for name, values in frame.fields.items() if name != label_field}
    label = np.full(len(fields["x"]), IGNORED, np.int32)
    candidates = None
    if label_field in frame.fields:
        label = class_indices(frame.fields[label_field], config)
        candidates = coarse_labels(frame.fields[label_field], sets, config.classes) if sets else None
    images = regions = None
    if frame.exposures:
        xyz = np.stack([fields[axis] for axis in "xyz"], axis=1)
        if encoder is not None:
            assert config.image_encoder is not None
            images = point_images(frame.exposures, xyz, config.image_encoder, encoder, variation)
        if source is not None:
            regions = _regions(frame, xyz, config, source, images)
    scan = LabeledScan(_scan_name(frame.bag, frame.stamp), fields, label, images, regions, candidates)
    if config.detection is None or frame.boxes is None:
        return scan
    return replace(scan, boxes=boxes_of(frame.boxes, config.detection, scan.xyz))


def _with_soft_labels(scan: LabeledScan, folder: SoftLabelFolder | None, config: Config) -> LabeledScan:
    """The scan's own labels, coarse ones too, are kept."""
    soft = None if folder is None else folder.read(scan.name, len(scan.label), config.classes)
    if soft is None:
        return scan
    unlabelled = scan.label == IGNORED
    if scan.candidates is None:
        return replace(scan, candidates=soft.where(unlabelled))
    unlabelled &= ~scan.candidates.known()
    return replace(scan, candidates=scan.candidates.beside(soft.where(unlabelled)))


def _regions(
    frame: Frame, xyz: npt.NDArray[Any], config: Config, source: RegionSource, images: PointImageFeatures | None
) -> PointRegions:
    xyz = xyz.astype(np.float32)
    if config.tokens.kind == "knn":
        return tokens_of_neighbors(xyz, config, images)
    try:
        ids = [source.ids(frame.bag, exposure.image) for exposure in frame.exposures]
        views = [exposure.view for exposure in frame.exposures]
        return tokens_of_regions(xyz, views, ids, config, None if images is None else images.features)
    except DataError as error:
        raise DataError(f"{frame.bag}, cloud at {frame.stamp}: {error}") from error
