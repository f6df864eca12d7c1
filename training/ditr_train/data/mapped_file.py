"""Arrays on disk that are computed once, under a name that says all that they depend on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError


def mapped_path(folder: Path, digest: str) -> Path:
    """Where the array of a digest is: folders of 1/256 of all."""
    return folder / digest[:2] / f"{digest[2:]}.npy"


def mapped_or_made(path: Path, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The array of a file, mapped into memory and copied where it is written to; made and kept where there is no file.

    Files are written whole, so several processes may share a folder. Raises DataError for a damaged one.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        with part.open("wb") as stream:
            np.save(stream, make())
        part.replace(path)
    try:
        # Not read-only, as torch knows no memory that can only be read.
        array: npt.NDArray[Any] = np.load(path, mmap_mode="c")
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} is damaged, delete it: {error}") from error
    return array
