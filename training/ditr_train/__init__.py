"""Training of point cloud segmentation with camera features (DITR) and its image-free form (D-DITR)."""

import os

# From 1.30 on ONNX Runtime's builds send what models and devices a process runs to Microsoft, unless this is set before
# the library is loaded (microsoft/onnxruntime, docs/Privacy.md). What the user has set stands.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
