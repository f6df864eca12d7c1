"""Scans of data sets that are larger than the memory: each is read when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from ditr_train.data.scans import LabeledScan

SURVEYED = 256
"""Scans of a data set, evenly chosen, that are read to learn what all have in common: how often classes occur."""


@dataclass(frozen=True)
class StoredScan:
    """One scan that is not in memory."""

    name: str
    has_images: bool
    """Are there images, and an encoder for them or regions of them?"""
    read: Callable[[bool], LabeledScan]
    """Reads it, with image features if it is given true; raises DataError when a file is missing or malformed."""
    read_varied: Callable[[np.random.Generator], LabeledScan] | None = None
    """Reads it with features of images that are changed at random, where the augmentation asks for it."""


class StoredScans(Sequence[LabeledScan]):
    """Scans of which some are in memory (those of bags), and others are read anew each time they are asked for."""

    def __init__(self, scans: Sequence[LabeledScan | StoredScan], *, images: bool = True) -> None:
        """`images` says whether scans are read with image features."""
        self._scans = scans
        self._images = images

    def __len__(self) -> int:
        return len(self._scans)

    @overload
    def __getitem__(self, index: int) -> LabeledScan: ...

    @overload
    def __getitem__(self, index: slice) -> StoredScans: ...

    def __getitem__(self, index: int | slice) -> LabeledScan | StoredScans:
        if isinstance(index, slice):
            return StoredScans(self._scans[index], images=self._images)
        scan = self._scans[index]
        return scan.read(self._images) if isinstance(scan, StoredScan) else scan

    def varied(self, index: int, rng: np.random.Generator) -> LabeledScan:
        """A scan, with images that are changed at random if it was loaded so."""
        scan = self._scans[index]
        if isinstance(scan, StoredScan) and scan.read_varied is not None and self._images:
            return scan.read_varied(rng)
        return self[index]

    def varies(self) -> bool:
        """Are there scans whose images are changed at random?"""
        return self._images and any(isinstance(s, StoredScan) and s.read_varied is not None for s in self._scans)

    def names(self) -> list[str]:
        """Names of the scans, none of which is read."""
        return [scan.name for scan in self._scans]

    def chosen(self, indices: Iterable[int]) -> StoredScans:
        """Those scans, none of which is read."""
        return StoredScans([self._scans[i] for i in indices], images=self._images)

    def with_images(self) -> StoredScans:
        """Those of which there are images; whether these see any point is not looked at."""

        def has_images(scan: LabeledScan | StoredScan) -> bool:
            if isinstance(scan, StoredScan):
                return scan.has_images
            return scan.images is not None or scan.regions is not None

        return StoredScans([scan for scan in self._scans if has_images(scan)])

    def entries(self) -> Sequence[LabeledScan | StoredScan]:
        """Scans in memory, and those that are not."""
        return self._scans

    def survey(self, *, images: bool) -> StoredScans:
        """At most SURVEYED of them, evenly chosen, with image features if these are wanted."""
        step = max(1, -(-len(self._scans) // SURVEYED))
        return StoredScans(self._scans[::step], images=images)


def varied(scans: Sequence[LabeledScan], index: int, rng: np.random.Generator) -> LabeledScan:
    """A scan, with images that are changed at random if it was loaded so."""
    return scans.varied(index, rng) if isinstance(scans, StoredScans) else scans[index]


def varies(scans: Sequence[LabeledScan]) -> bool:
    """Are there scans whose images are changed at random?"""
    return isinstance(scans, StoredScans) and scans.varies()


def chosen(scans: Sequence[LabeledScan], indices: Iterable[int]) -> Sequence[LabeledScan]:
    """Those of the scans; none that is not in memory is read."""
    return scans.chosen(indices) if isinstance(scans, StoredScans) else [scans[i] for i in indices]


def evenly_chosen(scans: Sequence[LabeledScan], count: int) -> Sequence[LabeledScan]:
    """That many of the scans, evenly chosen and always the same; all for 0 or where there are no more."""
    if count == 0 or count >= len(scans):
        return scans
    return chosen(scans, [(2 * i + 1) * len(scans) // (2 * count) for i in range(count)])


def joined(first: Sequence[LabeledScan], second: Sequence[LabeledScan]) -> Sequence[LabeledScan]:
    """Scans of both; none that is not in memory is read."""
    if not isinstance(first, StoredScans) and not isinstance(second, StoredScans):
        return [*first, *second]
    parts = [scans.entries() if isinstance(scans, StoredScans) else scans for scans in (first, second)]
    return StoredScans([*parts[0], *parts[1]])


def with_images(scans: Sequence[LabeledScan]) -> Sequence[LabeledScan]:
    """Those of the scans of which there are images; none that is not in memory is read."""
    if isinstance(scans, StoredScans):
        return scans.with_images()
    return [scan for scan in scans if scan.images is not None]


def surveyed(scans: Sequence[LabeledScan], *, images: bool) -> Sequence[LabeledScan]:
    """All scans if they are in memory, otherwise some of them, with image features only if these are wanted."""
    return scans.survey(images=images) if isinstance(scans, StoredScans) else scans


def scan_names(scans: Sequence[LabeledScan]) -> list[str]:
    """Names of the scans; none that is not in memory is read."""
    return scans.names() if isinstance(scans, StoredScans) else [scan.name for scan in scans]
