"""Graphs that a test had exported before: what an export takes is most of what many tests take."""

import hashlib
import io
import os
from pathlib import Path

import onnx
import pytest
import torch

from ditr_train.export import graphs


@pytest.fixture(scope="session", autouse=True)
def remembered_graphs(tmp_path_factory):
    """Has no process of the tests export again what one of them has exported: the same module, down to the last bit
    of its weights and its attributes, for the same examples and names. Files are written and checked each time.

    Tests of the exporter itself call `export_segmentor` with networks of their own, which nobody exported before.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "remembered-graphs"
    folder.mkdir(exist_ok=True)
    trace = graphs.trace

    def remembered(module, examples, dynamic_shapes, inputs, outputs):
        asked = io.BytesIO()
        torch.save((module, examples, inputs, outputs), asked)
        path = folder / f"{hashlib.sha256(asked.getbuffer()).hexdigest()}.onnx"
        if path.exists():
            return onnx.load(path)
        model = trace(module, examples, dynamic_shapes, inputs, outputs)
        # Renamed when whole: another process may look for it.
        written = Path(f"{path}.{os.getpid()}")
        written.write_bytes(model.SerializeToString(deterministic=True))
        written.replace(path)
        return model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphs, "trace", remembered)
        yield
