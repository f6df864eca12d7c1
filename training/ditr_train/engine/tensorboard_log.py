"""The rows of log.csv for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ditr_train.config.model_config import ConfigError


class TensorBoardLog:
    """Writes the numbers of each row as scalars, at the row's step. Needs the extra `tensorboard`."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError where TensorBoard is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError("--tensorboard: not installed here; pip install 'ditr-train[tensorboard]'") from error
        self._open = SummaryWriter
        self._folder = folder
        self._writer: Any = None

    def add(self, row: Mapping[str, Any]) -> None:
        """A row of log.csv; what is no number is left out."""
        step = int(row["step"])
        if self._writer is None:
            # What a killed training wrote from this step on is not shown any more.
            self._writer = self._open(str(self._folder), purge_step=step)
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float):
                self._writer.add_scalar(name, value, step)
        self._writer.flush()
