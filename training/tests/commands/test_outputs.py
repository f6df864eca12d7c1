"""No command overwrites what it reads, or without --force a bundle or file that exists."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from ditr_train.cli import main
from ditr_train.commands.outputs import check_outputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("run/checkpoint.pt", "bundle/bundle.json", "drive.mcap", "old.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "drive-link.json").symlink_to(tmp_path / "drive.mcap")
    (tmp_path / "hard.json").hardlink_to(tmp_path / "run" / "checkpoint.pt")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "run", "--bags", "drive.mcap", "--json", "drive.mcap", "--force"], "input"),
        (["evaluate", "run", "--bags", "drive.mcap", "--json", "drive-link.json", "--force"], "input"),
        (["evaluate", "run", "--bags", "drive.mcap", "--json", "hard.json", "--force"], "input"),
        (["evaluate", "run", "--bags", "drive.mcap", "--json", "old.json"], "only with --force"),
        (["evaluate", "run", "--bags", "drive.mcap", "--json", "run"], "is, or is a part of, the input"),
        (["export", "run", "-o", "bundle"], "only with --force"),
        (["export", "bundle", "--precision", "float16", "-o", "bundle", "--force"], "input"),
        (["export", "run", "-o", "old.json"], "is a file"),
    ],
)
def test_is_refused_before_any_work(
    folder: Path,
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_folder_of_a_run_is_no_bundle(folder: Path) -> None:
    (folder / "new").mkdir()
    for output in ("run", "new"):
        check_outputs(
            argparse.Namespace(config=folder / "old.json", bags=[folder / "drive.mcap"], output=folder / output)
        )
