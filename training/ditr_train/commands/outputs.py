"""Outputs that destroy nothing: what is checked before a command begins to work."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ditr_train.config.model_config import ConfigError

_FILES = ("json", "markdown")
_OUTPUTS = ("output", *_FILES)
"""Options that name what a command writes; every other path is one that it reads."""


def check_outputs(options: argparse.Namespace) -> None:
    """Looks whether a command's outputs can be written without a loss.

    Raises ConfigError when one is an input, or a file in the folder of an input (by whatever name or link), or when a
    bundle or a file exists and there is no --force. Folders of runs are checked by RunFolder.
    """
    inputs = [path for name, value in vars(options).items() if name not in _OUTPUTS for path in _paths(value)]
    force = bool(getattr(options, "force", False))
    for file in (getattr(options, name, None) for name in _FILES):
        if file is None or not file.exists():
            continue
        _require_no_input(file, inputs)
        if file.is_dir():
            raise ConfigError(f"{file} is a folder; name a file in it")
        if not force:
            raise ConfigError(f"{file} exists, and is replaced only with --force; or name another file")
    output: Path | None = getattr(options, "output", None)
    if output is None or not output.exists():
        return
    if not output.is_dir():
        raise ConfigError(f"{output} is a file, and a folder is to be made there")
    bundle = output / "bundle.json"
    for path in (output, bundle) if bundle.exists() else (output,):
        _require_no_input(path, [each for each in inputs if each.exists() and each.samefile(path)])
    if bundle.exists() and not force:
        raise ConfigError(f"{output} holds a bundle, which is replaced only with --force; or name another folder")


def _require_no_input(output: Path, inputs: list[Path]) -> None:
    for path in inputs:
        if not path.exists():
            continue
        if path.samefile(output) or (path.is_dir() and any(file.samefile(output) for file in _files(path))):
            raise ConfigError(
                f"{output} is, or is a part of, the input {path}, which no command changes; name another output"
            )


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _paths(getattr(value, field.name))
