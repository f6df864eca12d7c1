"""From what YAML or JSON gives to configuration dataclasses, with every mistake named."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal


class ConfigError(ValueError):
    """A setting is missing, misspelt or out of its range; the message names it and what is allowed."""


def require(condition: bool, message: str) -> None:
    """Raises ConfigError unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def convert(value: Any, target: Any, place: str) -> Any:
    """Checks a parsed YAML value against a type annotation and builds dataclasses and tuples from it."""
    origin = typing.get_origin(target)
    if dataclasses.is_dataclass(target) and isinstance(target, type):
        require(isinstance(value, dict), f"{place}: {value!r} is not a mapping")
        hints = typing.get_type_hints(target)
        if hasattr(target, "from_former"):
            value = target.from_former(value)
        for key in value:
            require(key in hints, f"{place}.{key}: unknown; known are {', '.join(hints)}")
        required = [
            f.name
            for f in dataclasses.fields(target)
            if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        ]
        for key in required:
            require(key in value, f"{place}.{key}: missing")
        return target(**{key: convert(item, hints[key], f"{place}.{key}") for key, item in value.items()})
    if origin is tuple:
        require(isinstance(value, (list, tuple)), f"{place}: {value!r} is not a list")
        kinds = typing.get_args(target)
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            return tuple(convert(item, kinds[0], f"{place}[{i}]") for i, item in enumerate(value))
        require(len(value) == len(kinds), f"{place}: {len(value)} entries, {len(kinds)} are needed")
        return tuple(
            convert(item, kind, f"{place}[{i}]") for i, (item, kind) in enumerate(zip(value, kinds, strict=True))
        )
    if origin is Literal:
        allowed = typing.get_args(target)
        require(value in allowed, f"{place}: {value!r} is not one of {', '.join(map(repr, allowed))}")
        return value
    if origin in (types.UnionType, typing.Union):
        kinds = typing.get_args(target)
        if all(typing.get_origin(kind) is Literal for kind in kinds):
            return convert(value, Literal[tuple(name for kind in kinds for name in typing.get_args(kind))], place)
        if value is None:
            return None
        kind = next(kind for kind in typing.get_args(target) if kind is not types.NoneType)
        return convert(value, kind, place)
    if target is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    correct = isinstance(value, target) and not (target is int and isinstance(value, bool))
    require(correct, f"{place}: {value!r} is not a {target.__name__}")
    return value
