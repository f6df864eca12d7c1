"""Labels of points from semantic maps of images: projected, cleaned, written, and learned from."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import yaml
from conftest import make_config
from onnx import TensorProto, helper
from PIL import Image
from published_layouts import write_floats
from scipy import ndimage
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.model_config import load_config
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure, Frame
from ditr_train.data.loading import named_frames
from ditr_train.data.semantic_maps import (
    NOTHING,
    MapDescription,
    MapFolder,
    OnnxSegmenter,
    inside_borders,
    read_description,
)
from ditr_train.data.soft_labels import SoftLabelFolder
from ditr_train.geometry.projection import CameraView
from ditr_train.methods.pseudo_labels import project_maps, seen_over

CLASSES = make_config().classes
WIDTH, HEIGHT = 80, 60
TO_CAMERA = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
VIEW = CameraView(np.array([[50.0, 0, 39.5], [0, 50.0, 29.5], [0, 0, 1]]), (), "none", WIDTH, HEIGHT, TO_CAMERA)


def described(tmp_path, **changes):
    document = {"classes": {0: ["class-1", "class-2"], 1: "class-3", 2: ["class-2", "class-1"], 9: None}} | changes
    path = tmp_path / "maps.yaml"
    path.write_text(yaml.safe_dump(document))
    return read_description(path, CLASSES)


def frame_of(points, bag="scans/place/000003"):
    fields = {axis: np.asarray(points, np.float32)[:, i] for i, axis in enumerate("xyz")}
    return Frame(bag, 300_000_000, fields, (Exposure(CameraImage(300_000_000, b"", None, "/front/image"), VIEW),))


class Maps:
    """A map and its confidence for every image."""

    def __init__(self, ids, confidence):
        self.ids, self.confidence = ids, confidence

    def of(self, frame, camera, exposure):
        return self.ids, self.confidence


def point_at(column, row, depth):
    """x ahead, y left, z up of what VIEW shows there."""
    return depth, -(column - 39.5) / 50 * depth, -(row - 29.5) / 50 * depth


def test_a_point_takes_the_pixel_that_it_is_seen_at(tmp_path):
    description, classes = described(tmp_path, least_confidence=0.6, border=0)
    assert classes.targets == (("class-1", "class-2"), ("class-3",))  # the ids 0 and 2 mean the same
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 4, (HEIGHT, WIDTH))
    confidence = rng.uniform(0.4, 1, (HEIGHT, WIDTH)).astype(np.float32)
    cells = [(int(c), int(r)) for c, r in rng.integers(0, (WIDTH, HEIGHT), (60, 2))]
    points = [point_at(c, r, 10) for c, r in cells] + [(-10, 0, 0), (10, 30, 0)]
    found = project_maps(frame_of(points), Maps(ids, confidence), classes, description)
    wanted = {0: 0, 1: 1, 2: 0, 3: NOTHING}
    for (c, r), target, weight in zip(cells, found.target, found.weight, strict=False):
        says = wanted[ids[r, c]] if confidence[r, c] >= 0.6 else NOTHING
        assert target == says and weight == (confidence[r, c] if says != NOTHING else 0)
    assert list(found.target[60:]) == [NOTHING, NOTHING] and list(found.weight[60:]) == [0, 0]


def test_what_the_lidar_sees_over_a_thing_takes_nothing_of_it():
    """A car whose top is at row 20 and behind it a wall, which the LiDAR sees and the camera does not."""
    car = [point_at(c, r, 10) for c in range(30, 50) for r in range(20, 40)]
    hidden = [point_at(c, 24.3, 20) for c in range(32, 48)]
    beside = [point_at(c, 24.3, 20) for c in (5, 10, 70)]
    over = seen_over(np.array(car + hidden + beside, np.float32), VIEW)
    assert not over[: len(car)].any() and over[len(car) : -3].all() and not over[-3:].any()


def test_ground_and_walls_along_the_view_are_kept():
    angles = np.deg2rad(np.arange(-15, -1.5, 0.4))
    ground = [(1.7 / -np.tan(a), y, -1.7) for a in angles for y in np.arange(-4, 4, 0.5)]
    wall = [(x, 5.0, z) for x in np.arange(8, 25, 0.2) for z in np.arange(-1, 2, 0.2)]
    fine = replace(VIEW, k=VIEW.k * [[14], [14], [1]], width=14 * WIDTH, height=14 * HEIGHT)
    for points in (ground, wall):
        assert not seen_over(np.array(points, np.float32), fine).any()


@pytest.mark.parametrize("border", [0, 1, 3])
def test_pixels_near_a_border_say_nothing(border):
    target = np.random.default_rng(1).integers(0, 3, (6, 8)).repeat(9, 0).repeat(9, 1).astype(np.int32) - 1
    size = 2 * border + 1
    wanted = ndimage.maximum_filter(target, size) == ndimage.minimum_filter(target, size)
    np.testing.assert_array_equal(inside_borders(target, border), wanted)


def test_maps_are_files_of_the_names_that_are_described(tmp_path):
    ids = np.arange(WIDTH * HEIGHT, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    (tmp_path / "000003" / "front").mkdir(parents=True)
    Image.fromarray(ids).save(tmp_path / "000003" / "front" / "0-300000000.png")
    Image.fromarray(np.full((HEIGHT, WIDTH), 51, np.uint8)).save(tmp_path / "000003_sure.png")
    description = MapDescription(ids="{scan}/front/{camera}-{stamp}.png", confidence="{scan}_sure.png")
    frame = frame_of([(10, 0, 0)])
    read, confidence = MapFolder(tmp_path, description).of(frame, 0, frame.exposures[0])
    np.testing.assert_array_equal(read, ids)
    np.testing.assert_allclose(confidence, 0.2)
    with pytest.raises(DataError, match=r"1-300000000.png: .*No such file"):
        MapFolder(tmp_path, description).of(frame, 1, frame.exposures[0])
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "000003_sure.png")
    with pytest.raises(DataError, match=r"000003_sure\.png: 5 x 5 pixels are not those of the ids"):
        MapFolder(tmp_path, description).of(frame, 0, frame.exposures[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": {}}, "classes: {} is no mapping of ids"),
        ({"classes": {"a": "class-1"}}, "the id 'a' of classes is no whole number"),
        ({"classes": {1: "tram"}}, "the class of the id 1: 'tram' is none"),
        ({"least_confidence": 80}, "least_confidence: 80.* is not a share"),
        ({"ids": "{frame}.png"}, "'frame' is none of {scan}"),
    ],
)
def test_mistakes_are_named(tmp_path, changes, message):
    with pytest.raises(DataError, match=rf"maps.yaml: .*{message}"):
        described(tmp_path, **changes)


def brightness_model(path):
    """Two classes: logits 4 (r - 0.5) and its negative at half the resolution."""
    nodes = [
        helper.make_node("Slice", ["image", "start", "end", "axes"], ["red"]),
        helper.make_node("AveragePool", ["red"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Sub", ["half", "middle"], ["centred"]),
        helper.make_node("Mul", ["centred", "factor"], ["logits"]),
    ]
    slices = (("start", 0), ("end", 1), ("axes", 1))
    constants = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in slices]
    constants.append(helper.make_tensor("middle", TensorProto.FLOAT, [1], [0.5]))
    constants.append(helper.make_tensor("factor", TensorProto.FLOAT, [1, 2, 1, 1], [4.0, -4.0]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 48])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2, 16, 24])
    graph = helper.make_graph(nodes, "brightness", [image], [logits], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def test_a_segmentation_model_is_run(tmp_path):
    brightness_model(tmp_path / "model.onnx")
    description = MapDescription(input=(32, 48), mean=(0, 0, 0), std=(1, 1, 1))
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, WIDTH // 2 :, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "image.png")
    image = CameraImage(0, (tmp_path / "image.png").read_bytes(), None)
    frame = frame_of([(10, 0, 0)])
    ids, confidence = OnnxSegmenter(tmp_path / "model.onnx", description).of(frame, 0, Exposure(image, VIEW))
    assert ids.shape == confidence.shape == (HEIGHT, WIDTH)
    assert (ids[:, :30] == 1).all() and (ids[:, 50:] == 0).all()
    np.testing.assert_allclose(confidence[:, :30], 1 / (1 + np.exp(-4)), rtol=1e-5)
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"model\.onnx"):
        OnnxSegmenter(tmp_path / "model.onnx", description)


def test_a_bag_without_labels_is_labelled_and_learned_from(tmp_path, capsys):
    write_samples(tmp_path / "drive", 2, seed=5, with_labels=False)
    config = write_config(tmp_path / "config.yaml", steps=2)
    names = []
    for name, frame in named_frames(tmp_path / "drive", load_config(config)):
        names.append(name)
        for exposure in frame.exposures:
            path = tmp_path / "maps" / "drive" / f"{exposure.image.topic.strip('/')}/{exposure.image.stamp}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.ones((exposure.view.height, exposure.view.width), np.uint8)).save(path)
    described(tmp_path, ids="{bag}/{topic}/{stamp}.png")
    command = ["pseudo-label", str(config), "--bags", str(tmp_path / "drive"), "--maps", str(tmp_path / "maps")]
    command += ["--classes", str(tmp_path / "maps.yaml"), "-o", str(tmp_path / "soft"), "--threads", "1"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "of 2 scans" in printed and "class-3" in printed
    assert json.loads((tmp_path / "soft" / "soft-labels.json").read_text())["targets"][1] == ["class-3"]
    folder = SoftLabelFolder.open(tmp_path / "soft")
    for name in names:
        points = len(np.load(tmp_path / "soft" / f"{name}.target.npy"))
        known = folder.read(name, points, CLASSES).known()
        assert 0 < known.mean() < 1
    training = ["train", str(config), "--bags", str(tmp_path / "drive"), "--soft-labels", str(tmp_path / "soft")]
    assert main([*training, "--image-free", "-o", str(tmp_path / "run"), "--threads", "1"]) == 0


def test_scans_without_images_are_refused(tmp_path, capsys):
    write_floats(tmp_path / "velodyne" / "000000.bin", np.ones((5, 4)))
    (tmp_path / "layout.yaml").write_text("{}")
    described(tmp_path)
    command = ["pseudo-label", str(write_config(tmp_path / "config.yaml")), "--maps", str(tmp_path), "--threads", "1"]
    command += ["--bags", f"scans:{tmp_path}:{tmp_path}/layout.yaml", "--classes", str(tmp_path / "maps.yaml")]
    assert main([*command, "-o", str(tmp_path / "soft")]) != 0
    assert "no scan of scans:layout has a camera image" in capsys.readouterr().err
