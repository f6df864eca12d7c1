"""Bags as the node reads them and as training gets them from it; skipped where there is no Node.js."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFIGS, replace
from dump_equality import COMMAND, compare_with_dump

from ditr_train.config.model_config import CameraTopics, TopicsConfig, load_config
from ditr_train.data.bag_samples import open_samples
from ditr_train.data.errors import DataError
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.geometry.projection import project, unoccluded

CAMERAS = {"front": 50, "left": 25, "right": 75, "rear": 0}
"""Milliseconds from a scan's stamp to when the LiDAR looks the camera's way."""

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    assert COMMAND.exists(), "the command is not built: npm run build"
    bag = tmp_path_factory.mktemp("drive") / "street.mcap"
    arguments = ["--seed", "7", "--scans", "2", "--stride", "10", "--columns", "512", "--semantic", "-o", str(bag)]
    arguments += ["--cameras", ",".join(CAMERAS)]
    subprocess.run(["node", str(COMMAND), "simulate", *arguments], check=True, capture_output=True)
    return bag


def test_a_simulated_drive_is_read_and_its_points_meet_their_pixels(drive, tmp_path, monkeypatch):
    monkeypatch.setenv("DITR_SAMPLES", str(tmp_path))
    config = load_config(CONFIGS / "street-tiny.yaml")
    topics = config.topics
    names = ["x", "y", "z", "intensity", topics.label_field]
    samples = open_samples(drive, topics)
    assert len(samples) == 2 and samples.bag(0) == "street.mcap"
    images = [image for _, image in samples.images(topics.cameras)]
    assert len(images) == 8 and all(image.semantic is not None for image in images)
    for index in range(2):
        frame = samples.frame(index, names, topics.label_field, topics.cameras, images=True)
        xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1)
        seen_by = np.zeros(len(xyz), int)
        assert [e.image.stamp - frame.stamp for e in frame.exposures] == [10**6 * ms for ms in CAMERAS.values()]
        for exposure in frame.exposures:
            (ids,) = [i.semantic for i in images if (i.topic, i.stamp) == (exposure.image.topic, exposure.image.stamp)]
            u, v, depth, visible = project(xyz, exposure.view)
            seen_by += visible
            visible = unoccluded(u, v, depth, visible, exposure.view)
            # A camera with a field of view of 90 degrees sees about a quarter.
            assert 0.1 < visible.mean() < 0.4
            labels = frame.fields[topics.label_field][visible]
            seen = ids[np.rint(v[visible]).astype(int), np.rint(u[visible]).astype(int)]
            # What is left are edges, and what moved while the scan was taken.
            assert (seen == labels)[labels > 0].mean() > 0.9
        # Each point is before one of the four, but for what is above and below them.
        assert (seen_by == 1).mean() > 0.8
        assert len(voxelize_scan(frame.fields, config.backbone).inputs["feat"]) > 1000

    # A second time it is not read, and another choice of cameras is kept apart.
    (kept,) = tmp_path.iterdir()
    before = (kept / "samples.json").stat()
    assert open_samples(drive, topics).path == kept and (kept / "samples.json").stat() == before
    front = replace(topics, cameras=topics.cameras[:1])
    assert len(open_samples(drive, front).cameras) == 1
    assert len(list(tmp_path.iterdir())) == 2
    header = json.loads((kept / "samples.json").read_text())
    assert header["bags"][0]["path"] == str(drive) and header["labelled_scans"] == 2


def test_samples_equal_what_the_model_is_given(drive, tmp_path):
    assert compare_with_dump(drive, [], tmp_path) == (2, 2)


CASES = Path(os.environ.get("DITR_CASES", "no-such-folder"))
"""Recordings that went wrong for users of other tools; they are not in this repository."""


@pytest.mark.parametrize("bag", sorted(path.relative_to(CASES) for path in CASES.rglob("*.mcap")), ids=str)
def test_samples_of_odd_recordings_equal_what_the_model_is_given(bag, tmp_path):
    compare_with_dump(CASES / bag, [], tmp_path)


def test_what_the_node_refuses_is_one_sentence(drive, tmp_path, monkeypatch):
    monkeypatch.setenv("DITR_SAMPLES", str(tmp_path))
    with pytest.raises(DataError, match=r"street\.mcap: .*/other"):
        open_samples(drive, TopicsConfig(cloud="/other", cameras=(CameraTopics("/camera/front/image_raw"),)))
    assert list(tmp_path.iterdir()) == []
