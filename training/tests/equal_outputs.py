"""Does a graph say what its network says?"""

import numpy as np

from ditr_train.export.graphs import run_segmentor
from ditr_train.geometry.pair_tables import declared_inputs

TOLERANCE = 1e-3


def assert_equal_outputs(segmentor, graph, inputs):
    expected = run_segmentor(segmentor, inputs)
    names = [output.name for output in graph.get_outputs()]
    found = dict(
        zip(names, graph.run(None, declared_inputs(inputs, [entry.name for entry in graph.get_inputs()])), strict=True)
    )
    assert list(found) == ["label", "confidence", "entropy", "logits"]
    assert found["label"].dtype == np.int32 and len(found["label"]) == len(inputs["feat"])
    for name in ("confidence", "entropy", "logits"):
        assert np.abs(found[name] - expected[name]).max() <= TOLERANCE, name
    top = np.sort(expected["logits"], axis=1)
    clear = top[:, -1] - top[:, -2] > TOLERANCE
    assert (found["label"] == expected["label"])[clear].all()
