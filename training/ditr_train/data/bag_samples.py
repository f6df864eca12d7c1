"""Samples of bags that are given directly: made by the node's own `ditr samples`, once, and kept."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ditr_train.config.model_config import TopicsConfig
from ditr_train.data.errors import DataError
from ditr_train.data.sample_folder import SampleFolder, is_sample_folder

_REPOSITORY = Path(__file__).parents[3]
_DEFAULT_LABEL_FIELD = TopicsConfig().label_field
_SOME_SCANS_LOST = 3
"""Exit code of `ditr`: finished, but not with all scans."""


def open_samples(path: Path, topics: TopicsConfig, *, labels: bool = True) -> SampleFolder:
    """The samples in a folder, or those of a bag.

    Samples of a bag are kept in ``$DITR_SAMPLES``, by default ``~/.cache/ditr/samples``, in a folder that is named
    after what they depend on: the bag's files, the topics, whether labels are wanted, and the build of `ditr`.
    Raises DataError for a folder or bag that cannot be used, and for a bag where `ditr` cannot be run.
    """
    if is_sample_folder(path):
        folder = SampleFolder(path)
    else:
        folder = SampleFolder(_kept_samples(path, _options(topics, labels=labels)))
    folder.require_cameras(topics.cameras)
    return folder


def _options(topics: TopicsConfig, *, labels: bool) -> list[str]:
    options = ["--cloud", topics.cloud] if topics.cloud else []
    if topics.label_field != _DEFAULT_LABEL_FIELD and labels:
        options += ["--label-field", topics.label_field]
    if topics.cameras:
        options += ["--camera", *(camera.image for camera in topics.cameras)]
    for option, named in (
        ("--semantic", [f"{camera.image}={camera.semantic}" for camera in topics.cameras if camera.semantic]),
        ("--regions", [f"{camera.image}={camera.regions}" for camera in topics.cameras if camera.regions]),
    ):
        options += [option, *named] if named else []
    return options


def _kept_samples(bag: Path, options: Sequence[str]) -> Path:
    """The folder with the samples of a bag, which are made if they are not there."""
    files = _files(bag)
    by_hand = f"`ditr samples {bag} -o FOLDER` makes samples of it, FOLDER takes its place here"
    command = _command()
    if command is None:
        raise DataError(f"{bag}: bags are read by `ditr`, which is neither built here nor installed; {by_hand}")
    key = [[str(file.resolve()), *_state(file)] for file in files]
    digest = hashlib.sha256(json.dumps([key, options, _build(Path(command[-1]))]).encode()).hexdigest()
    kept = Path(os.environ.get("DITR_SAMPLES") or Path.home() / ".cache" / "ditr" / "samples") / digest
    if is_sample_folder(kept):
        return kept
    making = kept.with_name(f"{digest}.{os.getpid()}.part")
    shutil.rmtree(making, ignore_errors=True)
    try:
        done = subprocess.run(
            [*command, "samples", str(bag), "-o", str(making), *options], capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, _SOME_SCANS_LOST):
            raise DataError(f"{bag}: {_reason(done.stderr) or f'exit code {done.returncode}'}")
        if done.returncode == _SOME_SCANS_LOST:
            print(done.stdout.strip(), file=sys.stderr)
        if not is_sample_folder(kept):
            making.replace(kept)
    except OSError as error:
        raise DataError(f"{bag}: its samples cannot be made in {kept.parent}: {error}; {by_hand}") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return kept


def _reason(printed: str) -> str:
    """The sentence of `ditr` that says what is wrong; hints may stand below it."""
    lines = printed.strip().splitlines()
    named = [line.partition(": ")[2] for line in lines if line.startswith(("ditr: ", "error: "))]
    return (named or lines or [""])[-1]


def _command() -> list[str] | None:
    """How `ditr` is run: the build of this repository, or what is installed."""
    node, built = shutil.which("node"), _REPOSITORY / "dist" / "cli" / "main.js"
    if node is not None and built.is_file():
        return [node, str(built)]
    installed = shutil.which("ditr")
    return None if installed is None else [installed]


def _files(bag: Path) -> list[Path]:
    files = sorted(path for path in bag.rglob("*") if path.is_file()) if bag.is_dir() else [bag]
    if not files or not files[0].exists():
        raise DataError(f"{bag}: there is no such bag or sample folder")
    return files


@cache
def _build(program: Path) -> str:
    """What a build of `ditr` consists of, whenever it was built."""
    folder = program.resolve().parents[1]
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.js")):
        if not file.name.endswith(".test.js"):
            digest.update(f"{file.relative_to(folder)} {file.stat().st_size} ".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _state(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns
