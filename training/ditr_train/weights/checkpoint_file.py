"""Checkpoint files of other projects, and whether they hold what a network needs."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ditr_train.data.errors import DataError

_NAMED_AT_MOST = 20
"""Tensors of a kind that an error names before it counts the rest."""

Shape = tuple[int, ...]


def read_checkpoint(path: Path) -> Any:
    """What `torch.save` wrote, tensors and plain values only, never code; or the tensors of a .safetensors file.

    Raises DataError when the file is missing, is no checkpoint, or holds objects of other kinds.
    """
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    scalar = np.float64(0).__reduce__()[0]
    # A best score is often a NumPy number; NumPy 1 wrote its functions under another name.
    plain: list[Any] = [
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
        np.dtype,
        np.dtypes.Float64DType,
        np.dtypes.Float32DType,
    ]
    try:
        with torch.serialization.safe_globals(plain):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise DataError(
            f"{path} is no checkpoint of tensors that PyTorch reads without running code: {reason}"
        ) from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except safetensors.SafetensorError as error:
        raise DataError(f"{path} is no file of tensors in the safetensors format: {error}") from error


def _is_zip(path: Path) -> bool:
    """Only PyTorch's newer files, which are archives, can stay on disk until a tensor is read."""
    with path.open("rb") as stream:
        return stream.read(2) == b"PK"


def tensors_of(document: Any, path: Path, *keys: str) -> dict[str, Tensor]:
    """The tensors by name in `document`, or in the first of `keys` that it has.

    Raises DataError when that is not a mapping of names to tensors.
    """
    inner = document
    if isinstance(document, Mapping):
        inner = next((document[key] for key in keys if key in document), document)
    if not isinstance(inner, Mapping) or not inner:
        raise DataError(f"{path} holds a {type(inner).__name__} instead of tensors by name")
    odd = [str(name) for name, value in inner.items() if not isinstance(value, Tensor)]
    if odd:
        raise DataError(f"{path} holds other things than tensors: {_listed(odd)}")
    return dict(inner)


def check_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Shape], path: Path, network: str) -> None:
    """Raises one DataError that names every tensor that is missing, unexpected, of another shape or not finite."""
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    shared = [name for name in expected if name in found]
    misshapen = [
        f"{name} {tuple(found[name].shape)} instead of {tuple(expected[name])}"
        for name in shared
        if tuple(found[name].shape) != tuple(expected[name])
    ]
    not_finite = [name for name in shared if not bool(torch.isfinite(found[name]).all())]
    problems = [
        f"{kind} {_listed(names)}"
        for kind, names in (
            ("missing", missing),
            ("unexpected", unexpected),
            ("wrong shape", misshapen),
            ("not finite", not_finite),
        )
        if names
    ]
    if problems:
        raise DataError(f"{path} does not fit {network}: {'; '.join(problems)}")


def _listed(names: list[str]) -> str:
    rest = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")


def file_provenance(path: Path) -> dict[str, str]:
    """Name and SHA-256 of a checkpoint, for the card of what is made from it."""
    with path.open("rb") as stream:
        return {"checkpoint": path.name, "checkpoint_sha256": hashlib.file_digest(stream, "sha256").hexdigest()}
