"""Graphs whose convolutions multiply only the neighbours that exist.

On LiDAR 5 to 8 of 27 neighbours are occupied. What the exporter writes gathers all 27, empty or not, and multiplies
them at once, which a GPU likes; here each column of the table gathers its own pairs and multiplies them by its own
part of the weight, and each voxel then adds up its products. docs/graph-contract.md has the tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ditr_train.geometry.pair_tables import pair_names

LEAST_CHANNELS = 16
"""Convolutions of fewer channels (the stem, of 4) keep the table: adding up products would cost more than is saved."""


@dataclass(frozen=True)
class _Part:
    """The columns of a table from `first` on that one matrix product takes."""

    first: int
    weight: str
    product: NodeProto


def to_pairs(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with pairs in place of its neighbour tables, which need not be there.

    Raises ValueError where a table is used in another way than the exporter's convolutions do.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    tables = [value for value in model.graph.input if "neighbors" in value.name]
    if tables:
        _Conversion(result).run([table.name for table in tables])
    return result


class _Conversion:
    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.initializers: dict[str, TensorProto] = {tensor.name: tensor for tensor in self.graph.initializer}
        self.consumers: dict[str, list[NodeProto]] = defaultdict(list)
        self.producer: dict[str, NodeProto] = {}
        for node in self.graph.node:
            for name in node.input:
                self.consumers[name].append(node)
            self.producer |= dict.fromkeys(node.output, node)
        self.dropped: set[str] = set()
        """First outputs of the nodes that go."""
        self.at: dict[str, list[NodeProto]] = defaultdict(list)
        """What comes in place of the node with this first output."""
        self.added: dict[str, TensorProto] = {}

    def run(self, tables: Sequence[str]) -> None:
        front: list[NodeProto] = []
        replaced: list[str] = []
        for table in tables:
            columns = self._columns(table)
            wide = [
                (x, parts) for x, parts in self._convolutions(table) if self._channels(parts, columns) >= LEAST_CHANNELS
            ]
            if not wide:
                continue
            replaced.append(table)
            source, counts, *_ = pair_names(table)
            pieces = [f"{source}_{column}" for column in range(columns) if column != columns // 2]
            front += [
                helper.make_node("Cast", [counts], [f"{counts}_int64"], to=TensorProto.INT64),
                helper.make_node("Split", [source, f"{counts}_int64"], pieces, axis=0),
            ]
            for x, parts in wide:
                self._replace(table, columns, x, parts)
        nodes = front + [
            new
            for node in self.graph.node
            for new in self.at.get(node.output[0], [] if node.output[0] in self.dropped else [node])
        ]
        del self.graph.node[:]
        self.graph.node.extend(_needed(nodes, {value.name for value in self.graph.output}))
        read = {name for node in self.graph.node for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in read] + list(self.added.values())
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)
        self._replace_inputs(replaced, read)

    def _columns(self, table: str) -> int:
        (value,) = (value for value in self.graph.input if value.name == table)
        return int(value.type.tensor_type.shape.dim[1].dim_value)

    def _convolutions(self, table: str) -> Iterable[tuple[str, list[_Part]]]:
        """The input of each convolution over a table, and its matrix products."""
        found: dict[tuple[str, str], list[_Part]] = defaultdict(list)
        for node in self.consumers[table]:
            if node.op_type == "Slice":
                first = int(self._constant(node.input[1])[0])
                gathers = self.consumers[node.output[0]]
            else:
                first, gathers = 0, [node]
            for gather in gathers:
                padded = self.producer.get(gather.input[0])
                reshape = self._only(gather, "Reshape")
                product = None if reshape is None else self._only(reshape, "MatMul")
                if gather.op_type != "Gather" or padded is None or padded.op_type != "Concat" or product is None:
                    raise ValueError(f"{table} is read by {gather.op_type} {gather.name}, which is no convolution")
                # Each convolution pads its input anew.
                found[padded.input[0], padded.output[0]].append(_Part(first, product.input[1], product))
        for (x, _), parts in found.items():
            yield x, sorted(parts, key=lambda part: part.first)

    def _channels(self, parts: Sequence[_Part], columns: int) -> int:
        weight = parts[0].weight
        if weight in self.initializers:
            columns = parts[1].first if len(parts) > 1 else columns
        return int(self._tensor(weight).dims[0]) // columns

    def _tensor(self, weight: str) -> TensorProto:
        """A weight, or the one that it is a slice of."""
        while weight not in self.initializers:
            weight = self.producer[weight].input[0]
        tensor: TensorProto = self.initializers[weight]
        return tensor

    def _only(self, node: NodeProto, operator: str) -> NodeProto | None:
        consumers = self.consumers[node.output[0]]
        return consumers[0] if len(consumers) == 1 and consumers[0].op_type == operator else None

    def _replace(self, table: str, columns: int, x: str, parts: list[_Part]) -> None:
        total = parts[0].product.output[0]
        for part in parts[1:]:
            (add,) = (node for node in self.consumers[total] if part.product.output[0] in node.input)
            if add.op_type != "Add":
                raise ValueError(f"{table}: the parts of a convolution are not added up, but read by {add.op_type}")
            self.dropped |= {total, part.product.output[0]}
            total = add.output[0]
        self.at[total] = self._convolution(table, columns, x, parts, total)

    def _convolution(self, table: str, columns: int, x: str, parts: list[_Part], out: str) -> list[NodeProto]:
        source, _, slots, rest, rest_row = pair_names(table)
        nodes: list[NodeProto] = []

        def node(operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
            nodes.append(helper.make_node(operator, list(inputs), [f"{out}_{name}"], **attributes))
            return f"{out}_{name}"

        weights: list[str] = []
        for part, end in zip(parts, [*(part.first for part in parts[1:]), columns], strict=True):
            pieces = [f"{out}_weight_{column}" for column in range(part.first, end)]
            # Of a constant: whoever loads the graph splits it once.
            nodes.append(helper.make_node("Split", [part.weight], pieces, axis=0, num_outputs=len(pieces)))
            weights += pieces
        products = [
            node("MatMul", [node("Gather", [x, f"{source}_{column}"], f"rows_{column}"), weight], f"product_{column}")
            for column, weight in enumerate(weights)
            if column != columns // 2
        ]
        zero = self._added(f"{out}_zero", np.zeros((1, self._tensor(parts[0].weight).dims[1]), np.float32))
        axis = self._added("pair_axis", np.array([1], np.int64))
        padded = node("Concat", [*products, zero], "products", axis=0)
        first = node("ReduceSum", [node("Gather", [padded, slots], "first_rows"), axis], "first", keepdims=0)
        others = node("ReduceSum", [node("Gather", [padded, rest], "rest_rows"), axis], "rest", keepdims=0)
        others = node("Gather", [node("Concat", [others, zero], "rest_padded", axis=0), rest_row], "rest_of_row")
        middle = node("MatMul", [x, weights[columns // 2]], "middle")
        nodes.append(helper.make_node("Sum", [first, others, middle], [out]))
        return nodes

    def _added(self, name: str, value: np.ndarray) -> str:
        self.added[name] = numpy_helper.from_array(value, name)
        return name

    def _constant(self, name: str) -> np.ndarray:
        return np.asarray(numpy_helper.to_array(self.initializers[name]))

    def _replace_inputs(self, replaced: Sequence[str], read: Set[str]) -> None:
        inputs: list[onnx.ValueInfoProto] = []
        for value in self.graph.input:
            if value.name not in replaced or value.name in read:
                inputs.append(value)
            if value.name in replaced:
                shapes = pair_shapes(value.name)
                inputs += [
                    helper.make_tensor_value_info(name, TensorProto.INT32, shape) for name, shape in shapes.items()
                ]
        del self.graph.input[:]
        self.graph.input.extend(inputs)


def pair_shapes(table: str) -> dict[str, tuple[int | str, ...]]:
    """Names and shapes of the inputs that stand for a neighbour table, of 125 columns if it is the stem's."""
    stem = table == "stem_neighbors"
    stage, columns = ("0", 125) if stem else (table.removeprefix("neighbors_"), 27)
    suffix = "_stem" if stem else stage
    v = f"V{stage}"
    shapes: list[tuple[int | str, ...]] = [
        (f"N{suffix}",),
        (columns - 1,),
        (v, f"A{suffix}"),
        (f"E{suffix}", f"B{suffix}"),
        (v,),
    ]
    return dict(zip(pair_names(table), shapes, strict=True))


def _needed(nodes: list[NodeProto], outputs: set[str]) -> list[NodeProto]:
    """Without those that nothing reads, in the same order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]
