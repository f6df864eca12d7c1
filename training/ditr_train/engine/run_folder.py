"""The folder of a training run: configuration, weights, log and scores."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ditr_train.config.model_config import Config, config_from_document, config_to_document
from ditr_train.data.errors import DataError
from ditr_train.engine.tensorboard_log import TensorBoardLog


class RunFolder:
    """Files of one run; every file is replaced whole, so an interrupted run leaves none half written."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only or int(os.environ.get("RANK", "0")) > 0
        """Of the processes of a training the first alone writes, and none that only estimates."""
        self.tensorboard: TensorBoardLog | None = None
        """Where rows of the log are written too."""

    def create(self, config: Config, *, resume: bool) -> None:
        """Makes the folder. Raises DataError when it holds another run's checkpoint and `resume` is off."""
        if (self.path / "checkpoint.pt").exists() and not resume:
            raise DataError(f"{self.path} holds a run already; go on with it (--resume) or name another folder")
        self.path.mkdir(parents=True, exist_ok=True)
        if self.has("checkpoint.pt") and self.config() != config:
            raise DataError(f"{self.path} was started with another configuration; --resume needs the same one")
        self.write_json("config.json", config_to_document(config))

    def describe_data(self, data: Mapping[str, Any]) -> None:
        """Writes data.json. Raises DataError when the run has steps on other data behind it."""
        document = json.loads(json.dumps(data))
        if self.has("checkpoint.pt") and self.has("data.json") and self.read_json("data.json") != document:
            raise DataError(f"{self.path} was started with other data; --resume needs the same (see its data.json)")
        self.write_json("data.json", document)

    def config(self) -> Config:
        """The configuration that the run was started with."""
        return config_from_document(self.read_json("config.json"))

    def save(self, name: str, state: Mapping[str, Any]) -> None:
        if self.read_only:
            return
        temporary = self.path / f"{name}.part"
        torch.save(dict(state), temporary)
        temporary.replace(self.path / name)

    def load(self, name: str) -> dict[str, Any]:
        path = self.path / name
        if not path.exists():
            raise DataError(f"{self.path} has no {name}; is it the folder of a finished training run?")
        state = torch.load(path, map_location="cpu", weights_only=True)
        assert isinstance(state, dict)
        return state

    def weights(self, *, best: bool = False) -> dict[str, Any]:
        """The network's, and the average's if there is one: after the last step, or those that scored best on the way.
        Raises DataError when the run has none."""
        state = self.load("best.pt" if best else "checkpoint.pt")
        found = state.get("average") or state["model"]
        assert isinstance(found, dict)
        return found

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def write_json(self, name: str, document: Any) -> None:
        if self.read_only:
            return
        temporary = self.path / f"{name}.part"
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        temporary.replace(self.path / name)

    def read_json(self, name: str) -> Any:
        path = self.path / name
        if not path.exists():
            raise DataError(f"{self.path} has no {name}; is it the folder of a training run?")
        return json.loads(path.read_text(encoding="utf-8"))

    def cut_log(self, step: int) -> None:
        """Removes the rows of log.csv after a step."""
        path = self.path / "log.csv"
        if self.read_only or not path.exists():
            return
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            names = list(reader.fieldnames or ())
            rows = [row for row in reader if int(row["step"]) <= step]
        temporary = self.path / "log.csv.part"
        with temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows(rows)
        temporary.replace(path)

    def append_log(self, row: Mapping[str, Any]) -> None:
        """One line of log.csv; the first one also writes the header."""
        if self.read_only:
            return
        path = self.path / "log.csv"
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        if self.tensorboard is not None:
            self.tensorboard.add(row)
