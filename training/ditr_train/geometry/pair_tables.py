"""Neighbour tables as pairs of voxels, for graphs that multiply only the neighbours that exist.

The rules are in docs/graph-contract.md; src/geometry/pairTables.ts follows them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class PairTables:
    """The occupied entries of a neighbour table of V voxels and K columns, without its middle column."""

    source: Int32
    """[P] the neighbour of each pair; pairs by column, then by row"""
    counts: Int32
    """[K - 1] pairs of each column"""
    slots: Int32
    """[V, A] the first pairs of each row, P where it has fewer"""
    rest: Int32
    """[E, B] the other pairs of the rows that have more than A, P where there are fewer; at least one row"""
    rest_row: Int32
    """[V] row of `rest`, its number of rows where there is none"""


PAIR_KINDS = ("pair_source", "pair_counts", "pair_slots", "pair_rest", "pair_rest_row")
"""What takes the place of `neighbors` in the names of a graph's inputs, in the order of PairTables."""


def pair_names(table: str) -> list[str]:
    """Names of the graph inputs that stand for `neighbors_S` or `stem_neighbors`."""
    return [table.replace("neighbors", kind) for kind in PAIR_KINDS]


def pair_tables(neighbors: npt.NDArray[np.integer]) -> PairTables:
    """neighbors [V, K] with V where there is none, K odd, the voxel itself in the middle.

    A is the width with which the fewest entries of `slots` and `rest` are read, the least of equals.
    """
    count, columns = neighbors.shape
    others = np.delete(neighbors, columns // 2, axis=1)
    occupied = others < count
    by_column = occupied.T
    total = int(occupied.sum())
    number = np.full(by_column.shape, total, np.int32)
    number[by_column] = np.arange(total)
    packed = np.sort(number.T, axis=1)  # what is left out comes last
    of_row = occupied.sum(1)
    most = int(of_row.max(initial=1))
    width = min(range(1, most + 1), key=lambda a: count * a + int((of_row > a).sum()) * (most - a))
    more = np.flatnonzero(of_row > width)
    rest = np.full((max(1, len(more)), max(1, most - width)), total, np.int32)
    rest[: len(more)] = packed[more, width:most] if len(more) else total
    rest_row = np.full(count, len(rest), np.int32)
    rest_row[more] = np.arange(len(more))
    return PairTables(
        source=np.ascontiguousarray(others.T[by_column], dtype=np.int32),
        counts=by_column.sum(1).astype(np.int32),
        slots=np.ascontiguousarray(packed[:, :width]),
        rest=rest,
        rest_row=rest_row,
    )


def declared_inputs(inputs: Mapping[str, npt.NDArray[Any]], names: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """The inputs that a graph declares; pairs are made from the neighbour tables in `inputs`."""
    wanted = list(names)
    found = dict(inputs)
    for name, value in inputs.items():
        if "neighbors" in name and pair_names(name)[0] in wanted:
            tables = pair_tables(value)
            values = (tables.source, tables.counts, tables.slots, tables.rest, tables.rest_row)
            found |= dict(zip(pair_names(name), values, strict=True))
    return {name: found[name] for name in wanted}
