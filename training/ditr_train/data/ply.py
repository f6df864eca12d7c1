"""PLY files (Turk, The PLY Polygon File Format), ascii and binary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError

_TYPES = {
    "char": "i1",
    "uchar": "u1",
    "short": "i2",
    "ushort": "u2",
    "int": "i4",
    "uint": "u4",
    "float": "f4",
    "double": "f8",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "float32": "f4",
    "float64": "f8",
}
_BYTE_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}

Elements = dict[str, dict[str, npt.NDArray[np.generic]]]


@dataclass(frozen=True)
class _Property:
    name: str
    kind: str
    """NumPy kind of a value."""
    count_kind: str | None
    """NumPy kind of the number of values before them; None if it is no list."""


@dataclass(frozen=True)
class _Element:
    name: str
    rows: int
    properties: tuple[_Property, ...]


def read_ply(path: Path) -> Elements:
    """Properties by element and name: [rows] each, lists [rows, length], in the machine's byte order.

    Raises DataError when the file is malformed, or has lists that are not all of the same length.
    """
    try:
        data = path.read_bytes()
        body_format, elements, start = _header(data)
        body = data[start:]
        return _ascii(body, elements) if body_format == "ascii" else _binary(body, elements, _BYTE_ORDERS[body_format])
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _header(data: bytes) -> tuple[str, list[_Element], int]:
    """Format of the body, what is in it, and where it starts."""
    end = data.find(b"end_header")
    newline = data.find(b"\n", end)
    if not data.startswith(b"ply") or end < 0 or newline < 0:
        raise DataError("it is no PLY file: it has no header from ply to end_header")
    body_format, elements = "", list[_Element]()
    for line in data[:end].decode("latin-1").splitlines()[1:]:
        match line.split():
            case [] | ["comment" | "obj_info", *_]:
                pass
            case ["format", str() as body_format, _] if body_format in _BYTE_ORDERS:
                pass
            case ["element", name, rows] if rows.isdecimal():
                elements.append(_Element(name, int(rows), ()))
            case ["property", "list", count_kind, kind, name] if elements and {count_kind, kind} <= _TYPES.keys():
                elements[-1] = _with(elements[-1], _Property(name, _TYPES[kind], _TYPES[count_kind]))
            case ["property", kind, name] if elements and kind in _TYPES:
                elements[-1] = _with(elements[-1], _Property(name, _TYPES[kind], None))
            case _:
                raise DataError(f"the line {line!r} of its header is not understood")
    if not body_format:
        raise DataError("its header names no format")
    return body_format, elements, newline + 1


def _with(element: _Element, further: _Property) -> _Element:
    return _Element(element.name, element.rows, (*element.properties, further))


def _binary(body: bytes, elements: list[_Element], order: str) -> Elements:
    result: Elements = {}
    at = 0
    for element in elements:
        columns: list[tuple[str, str] | tuple[str, str, tuple[int]]] = []
        row_end = at
        for index, entry in enumerate(element.properties):
            if entry.count_kind is not None:
                counter = np.dtype(order + entry.count_kind)
                columns.append((_counter(index), counter.str))
                if element.rows and row_end + counter.itemsize > len(body):
                    raise DataError(f"it ends within the first row of {element.name}")
                length = int(np.frombuffer(body, counter, 1, row_end)[0]) if element.rows else 0
                columns.append((entry.name, order + entry.kind, (length,)))
                row_end += counter.itemsize + length * np.dtype(entry.kind).itemsize
            else:
                columns.append((entry.name, order + entry.kind))
                row_end += np.dtype(entry.kind).itemsize
        layout = np.dtype(columns)
        if at + element.rows * layout.itemsize > len(body):
            raise DataError(
                f"{len(body) - at} bytes are left for {element.rows} rows of {element.name} of {layout.itemsize} bytes"
            )
        rows = np.frombuffer(body, layout, element.rows, at)
        at += rows.nbytes
        for index, entry in enumerate(element.properties):
            if entry.count_kind is not None:
                _require_same_length(rows[_counter(index)], rows[entry.name].shape[1], element, entry)
        result[element.name] = {
            entry.name: np.ascontiguousarray(rows[entry.name]).astype(entry.kind) for entry in element.properties
        }
    return result


def _ascii(body: bytes, elements: list[_Element]) -> Elements:
    result: Elements = {}
    try:
        # float64 holds every value of the integer types.
        numbers = np.array(body.split(), np.float64)
    except ValueError as error:
        raise DataError(f"its body is not all numbers: {error}") from error
    at = 0
    for element in elements:
        places: list[tuple[int, int]] = []
        width = 0
        for entry in element.properties:
            length = 1
            if entry.count_kind is not None:
                length = int(numbers[at + width]) if element.rows and at + width < len(numbers) else 0
                width += 1
            places.append((width, length))
            width += length
        if at + element.rows * width > len(numbers):
            raise DataError(
                f"{len(numbers) - at} numbers are left for {element.rows} rows of {element.name} of {width}"
            )
        rows = numbers[at : at + element.rows * width].reshape(element.rows, width)
        at += rows.size
        result[element.name] = {}
        for entry, (place, length) in zip(element.properties, places, strict=True):
            values = rows[:, place : place + length].astype(entry.kind)
            if entry.count_kind is not None:
                _require_same_length(rows[:, place - 1], length, element, entry)
            result[element.name][entry.name] = values if entry.count_kind is not None else values[:, 0]
    return result


def _require_same_length(counts: npt.NDArray[np.generic], length: int, element: _Element, entry: _Property) -> None:
    if (counts != length).any():
        raise DataError(f"the lists {entry.name} of {element.name} are not all {length} long, as the first one is")


def _counter(index: int) -> str:
    """Name of the number of values of a list; no property has a name with a space."""
    return f"length {index}"
