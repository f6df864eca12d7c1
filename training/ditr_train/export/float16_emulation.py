"""What a float16 graph gives where float16 is computed with.

ONNX Runtime's CPU provider computes most of a float16 graph in float32 and rounds hardly anything between two
operators. An accelerator multiplies and adds up in float32 inside of an operator, but what it writes is rounded.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


def round_every_tensor(model: onnx.ModelProto) -> onnx.ModelProto:
    """A float32 graph that rounds to float16 whatever the operators of a float16 graph write."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    halves = {
        value.name
        for value in (*inferred.value_info, *inferred.output)
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16
    }
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:], result.graph.initializer[:], result.graph.value_info[:]
    result.graph.initializer.extend(_widened(initializer) for initializer in model.graph.initializer)
    for original in model.graph.node:
        node = NodeProto()
        node.CopyFrom(original)
        for attribute in node.attribute:
            if attribute.HasField("t"):
                attribute.t.CopyFrom(_widened(attribute.t))
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
        after: list[NodeProto] = []
        for place, name in enumerate(node.output):
            if name in halves:
                node.output[place] = f"{name}_exact"
                after.append(helper.make_node("Cast", [f"{name}_exact"], [f"{name}_half"], to=TensorProto.FLOAT16))
                after.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
        result.graph.node.extend([node, *after])
    return result


def _widened(tensor: TensorProto) -> TensorProto:
    if tensor.data_type != TensorProto.FLOAT16:
        return tensor
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)
