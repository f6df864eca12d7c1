"""Configuration files as documents: what they take from a base, and settings given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ditr_train.config.conversion import ConfigError, require


def read_configuration(path: Path, settings: Sequence[str] = ()) -> Any:
    """What a YAML file says, on top of the file or files that its `base` names, each on top of those before it, with
    `settings` such as `training.steps=100` on top of all. `base` and `classes` name files relative to the one that they
    stand in.

    Raises ConfigError, OSError or yaml.YAMLError.
    """
    return with_set(_with_base(path, ()), settings)


def with_set(document: Any, settings: Sequence[str]) -> Any:
    """The document with `settings` such as `training.steps=100` in it. Raises ConfigError."""
    for setting in settings:
        _set(document, setting)
    return document


def _with_base(path: Path, above: tuple[Path, ...]) -> Any:
    require(path.resolve() not in above, f"base: {path} is its own base")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        return document
    if isinstance(document.get("classes"), str):
        document["classes"] = yaml.safe_load((path.parent / document["classes"]).read_text(encoding="utf-8"))
    if "base" not in document:
        return document
    base = document.pop("base")
    names = base if isinstance(base, list) else [base]
    require(bool(names) and all(isinstance(name, str) for name in names), f"base: {base!r} does not name files")
    below: Any = {}
    for name in names:
        below = _merged(below, _with_base(path.parent / name, (*above, path.resolve())))
    return _merged(below, document)


def _merged(below: Any, above: Any) -> Any:
    """Mappings are merged; anything else, lists too, takes the place of what is below."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _set(document: Any, setting: str) -> None:
    name, equals, text = setting.partition("=")
    keys = name.split(".")
    require(bool(equals) and all(keys), f"--set {setting}: not of the form name.of.setting=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {setting}: {text!r} is not a YAML value") from error
    place = document
    for depth, key in enumerate(keys):
        require(isinstance(place, dict), f"--set {setting}: {'.'.join(keys[:depth]) or 'the file'} has no settings")
        if depth == len(keys) - 1:
            place[key] = value
        else:
            if place.get(key) is None:
                place[key] = {}
            place = place[key]
