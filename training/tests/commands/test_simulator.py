"""The simulator's bags as training reads them; skipped where the node is not built."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFIGS

from ditr_train.config.model_config import CameraTopics, load_config
from ditr_train.data.bag import read_frames, read_images
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.geometry.projection import project, unoccluded

CAMERAS = {"front": 0.05, "left": 0.025, "right": 0.075, "rear": 0.0}
"""Seconds from a scan's stamp to when the LiDAR looks the camera's way."""
COMMAND = Path(__file__).parents[3] / "dist" / "cli" / "main.js"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")
def test_a_simulated_drive_is_read_and_its_points_meet_their_pixels(tmp_path):
    assert COMMAND.exists(), "the command is not built: npm run build"
    bag = tmp_path / "street.mcap"
    arguments = ["--seed", "7", "--scans", "2", "--stride", "10", "--columns", "512", "--semantic", "-o", str(bag)]
    arguments += ["--cameras", ",".join(CAMERAS)]
    subprocess.run(["node", str(COMMAND), "simulate", *arguments], check=True, capture_output=True)
    config = load_config(CONFIGS / "street-tiny.yaml")
    cameras = tuple(CameraTopics(f"/camera/{name}/image_raw/compressed", offset=at) for name, at in CAMERAS.items())
    config = replace(config, topics=replace(config.topics, cameras=cameras))
    names = ["x", "y", "z", "intensity", config.topics.label_field]
    frames = list(read_frames(bag, config.topics, names))
    assert all(image.semantic is not None for image in read_images(bag, config.topics))
    assert len(frames) == 2
    for frame in frames:
        xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1)
        seen_by = np.zeros(len(xyz), int)
        assert len(frame.exposures) == len(CAMERAS)
        for exposure, camera in zip(frame.exposures, cameras, strict=True):
            topics = replace(config.topics, cameras=(camera,))
            ids = {image.stamp: image.semantic for image in read_images(bag, topics)}[exposure.image.stamp]
            assert ids is not None
            u, v, depth, visible = project(xyz, exposure.view)
            seen_by += visible
            visible = unoccluded(u, v, depth, visible, exposure.view)
            # A camera with a field of view of 90 degrees sees about a quarter.
            assert 0.1 < visible.mean() < 0.4
            labels = frame.fields[config.topics.label_field][visible]
            seen = ids[np.rint(v[visible]).astype(int), np.rint(u[visible]).astype(int)]
            # What is left are edges, and what moved while the scan was taken.
            assert (seen == labels)[labels > 0].mean() > 0.9
        # Each point is before one of the four, but for what is above and below them.
        assert (seen_by == 1).mean() > 0.8
        assert len(voxelize_scan(frame.fields, config.backbone).inputs["feat"]) > 1000
