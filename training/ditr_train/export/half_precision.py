"""float16 versions of exported graphs: half the size and, where the hardware has it, half the memory traffic.

Written for our graphs instead of taking onnxruntime.transformers.float16, which rounds every graph input to float16
before the nodes that are kept in float32 see it, and with a list of such nodes writes graphs that do not load
(docs/float16.md has the numbers).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

FLOAT32_OPERATORS = frozenset({"LayerNormalization", "Cos", "Sin"})
"""Computed in float32 wherever they are. Layer normalization squares its input, and float16 ends at the square of 255;
where it is computed in float32 anyway this changes nothing. (Softmax reads K x K scores of every patch: twice as many
bytes for no label more, docs/float16.md.)"""

_LARGEST = float(np.finfo(np.float16).max)


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """A graph that computes in float16, with the inputs and outputs of `model`, a float32 graph.

    In float32 stay, besides FLOAT32_OPERATORS: what reads `feat` up to and with the first matrix product, since
    float16 knows a place 100 m away only to 6 cm; the angles of rotary position encoding; and what follows `logits`.
    """
    floats = _float_tensors(model)
    return _Conversion(model, floats, _float32_nodes(model.graph, floats)).run()


class _Conversion:
    """One pass over the nodes in their order, with a cast wherever a node wants another float than there is."""

    def __init__(self, model: onnx.ModelProto, floats: Set[str], float32_nodes: Set[int]) -> None:
        self.model = model
        self.floats = floats
        self.float32_nodes = float32_nodes
        self.initializers = {initializer.name: initializer for initializer in model.graph.initializer}
        inputs = (value.name for value in model.graph.input if value.name in floats)
        self.kind: dict[str, int] = dict.fromkeys(inputs, TensorProto.FLOAT)
        """Of each float tensor that is computed so far: TensorProto.FLOAT or FLOAT16."""
        self.nodes: list[NodeProto] = []
        self.used: dict[str, TensorProto] = {}
        self.casts: set[str] = set()

    def run(self) -> onnx.ModelProto:
        outputs = {value.name for value in self.model.graph.output}
        for index, original in enumerate(self.model.graph.node):
            node = NodeProto()
            node.CopyFrom(original)
            kind = TensorProto.FLOAT if index in self.float32_nodes else TensorProto.FLOAT16
            for place, name in enumerate(node.input):
                node.input[place] = self._input(name, kind)
            self._set_attributes(node, kind)
            late: list[NodeProto] = []
            for place, name in enumerate(node.output):
                if name not in self.floats:
                    continue
                self.kind[name] = kind
                if name in outputs and kind == TensorProto.FLOAT16:
                    # The graph's own float32 output; other nodes read the float16 tensor before the cast.
                    self.kind[name] = TensorProto.FLOAT
                    node.output[place] = f"{name}_float16"
                    self.casts.add(f"{name}_float16")
                    late.append(_cast(f"{name}_float16", name, TensorProto.FLOAT))
            self.nodes += [node, *late]
        result = _without_nodes(self.model)
        result.graph.node.extend(self.nodes)
        result.graph.initializer.extend(self.used.values())
        return result

    def _input(self, name: str, kind: int) -> str:
        """The name under which a node that computes in `kind` reads a tensor."""
        if name in self.initializers:
            return self._initializer(self.initializers[name], kind)
        if name not in self.floats or self.kind[name] == kind:
            return name
        cast = f"{name}_float16" if kind == TensorProto.FLOAT16 else f"{name}_float32"
        if cast not in self.casts:
            self.casts.add(cast)
            self.nodes.append(_cast(name, cast, kind))
        return cast

    def _initializer(self, initializer: TensorProto, kind: int) -> str:
        if initializer.data_type != TensorProto.FLOAT or kind == TensorProto.FLOAT:
            self.used[initializer.name] = initializer
            return initializer.name
        name = initializer.name if not self._read_in_float32(initializer.name) else f"{initializer.name}_float16"
        if name not in self.used:
            self.used[name] = _rounded(initializer, name)
        return name

    def _read_in_float32(self, name: str) -> bool:
        nodes = self.model.graph.node
        return any(name in nodes[index].input for index in self.float32_nodes)

    def _set_attributes(self, node: NodeProto, kind: int) -> None:
        if kind == TensorProto.FLOAT:
            return
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = kind
            if attribute.HasField("t") and attribute.t.data_type == TensorProto.FLOAT:
                attribute.t.CopyFrom(_rounded(attribute.t, attribute.t.name))


def _float32_nodes(graph: onnx.GraphProto, floats: Set[str]) -> Set[int]:
    """Places in graph.node of what is computed in float32."""
    nodes = list(graph.node)
    kept = {index for index, node in enumerate(nodes) if node.op_type in FLOAT32_OPERATORS}
    kept |= _before(nodes, [index for index in kept if nodes[index].op_type in ("Cos", "Sin")])
    kept |= _after(nodes, "feat", floats, until=("MatMul", "Gemm"))
    return kept | _after(nodes, "logits", floats, until=())


def _before(nodes: Sequence[NodeProto], places: Iterable[int]) -> set[int]:
    """Nodes whose results reach those at `places`."""
    made_by = {name: index for index, node in enumerate(nodes) for name in node.output}
    found: set[int] = set()
    waiting = list(places)
    while waiting:
        sources = {made_by[name] for name in nodes[waiting.pop()].input if name in made_by} - found
        found |= sources
        waiting += sources
    return found


def _after(nodes: Sequence[NodeProto], name: str, floats: Set[str], until: tuple[str, ...]) -> set[int]:
    """Nodes that the values of a tensor reach, on every way up to and with the first operator of `until`."""
    reached, found = {name}, set()
    for index, node in enumerate(nodes):
        if reached.intersection(node.input):
            found.add(index)
            if node.op_type not in until:
                reached.update(name for name in node.output if name in floats)
    return found


def _float_tensors(model: onnx.ModelProto) -> Set[str]:
    """Names of the float32 tensors that come in or that nodes make."""
    skeleton = _without_nodes(model)
    skeleton.graph.node.extend(model.graph.node)
    # The inference takes no more than an ONNX file can hold, and needs no values but those that are shapes.
    skeleton.graph.initializer.extend(_without_values(tensor) for tensor in model.graph.initializer)
    inferred = onnx.shape_inference.infer_shapes(skeleton, strict_mode=True).graph
    values = (*inferred.input, *inferred.output, *inferred.value_info)
    return {value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT}


def _without_nodes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Inputs, outputs and versions of a graph."""
    result = onnx.ModelProto(
        ir_version=model.ir_version,
        producer_name=model.producer_name,
        producer_version=model.producer_version,
        opset_import=model.opset_import,
    )
    result.graph.name = model.graph.name
    result.graph.input.extend(model.graph.input)
    result.graph.output.extend(model.graph.output)
    return result


def _without_values(tensor: TensorProto) -> TensorProto:
    if tensor.data_type != TensorProto.FLOAT:
        return tensor
    return TensorProto(
        name=tensor.name,
        dims=tensor.dims,
        data_type=tensor.data_type,
        data_location=TensorProto.EXTERNAL,
        external_data=[onnx.StringStringEntryProto(key="location", value="elsewhere")],
    )


def _cast(source: str, target: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [source], [target], name=f"{target}_cast", to=kind)


def _rounded(tensor: TensorProto, name: str) -> TensorProto:
    values: npt.NDArray[np.float32] = numpy_helper.to_array(tensor)
    # What stands for "less than everything" stays finite, as it is in float32.
    return numpy_helper.from_array(np.clip(values, -_LARGEST, _LARGEST).astype(np.float16), name)
