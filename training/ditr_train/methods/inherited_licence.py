"""The licence of weights that come of others: what does not allow commercial use goes on not to allow it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ditr_train.config.model_config import Config
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.bundle import read_document
from ditr_train.methods.frozen_encoder import is_bundle


def with_inherited_licence(config: Config, origins: Iterable[Path]) -> Config:
    """The configuration with the licences of the runs and bundles that weights come of, after its own.

    Raises DataError or ConfigError when one cannot be read.
    """
    licences = [config.licence] if config.licence else []
    for origin in origins:
        inherited = licence_of(origin)
        if inherited and not any(inherited in licence for licence in licences):
            licences.append(inherited)
    return replace(config, licence="; ".join(licences))


def licence_of(origin: Path) -> str:
    """Of a run or a bundle; empty where none is named."""
    if is_bundle(origin):
        return str(read_document(origin).get("licence", ""))
    run = RunFolder(origin)
    # An encoder that others published has a description in place of a configuration.
    return run.config().licence if run.has("config.json") else ""
