"""Boxes of samples and of KITTI object, and that they move with the points."""

import numpy as np
import pytest
from conftest import make_config, replace
from synthetic_samples import BOX_CLASSES, write_samples
from test_scan_folder import OBJECT, source, write_scans

from ditr_train.config.detection_config import DetectionClass, DetectionConfig
from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.augmentation import augment
from ditr_train.data.boxes import Boxes, NamedBoxes, boxes_of
from ditr_train.data.errors import DataError
from ditr_train.data.kitti_boxes import read_kitti_boxes
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import IGNORED, LabeledScan, make_sample
from ditr_train.geometry.boxes import box_corners, count_points, points_within
from ditr_train.geometry.projection import project
from ditr_train.geometry.tokens import farthest_points, token_positions

CLASSES = tuple(DetectionClass(name, (i, i, i)) for i, name in enumerate(BOX_CLASSES[:2]))
CONFIG = replace(make_config(), detection=DetectionConfig(CLASSES, stage=1, queries=8), injection=None)


def loaded(path, config=CONFIG, **options):
    return list(load_scans([path], config, None, progress=False, **options))


def test_samples_have_boxes_of_the_configured_classes(tmp_path):
    clouds = write_samples(tmp_path / "a", 3, 0, box_every=2)
    first, second, third = loaded(tmp_path / "a")
    assert second.boxes is None and first.boxes is not None and third.boxes is not None
    assert sorted(first.boxes.classes.tolist()) == [0, 1]  # the third class is not configured
    for box, kind, count in zip(first.boxes.boxes, first.boxes.classes, first.boxes.points, strict=True):
        of_kind = clouds[0]["ground_truth"] == kind + 1
        assert count == of_kind.sum()
        # Some of the floor below it lies within too.
        assert set(np.flatnonzero(of_kind)) <= set(next(points_within(first.xyz, box[None])).tolist())
    assert [scan.name for scan in loaded(tmp_path / "a", boxed=True)] == [first.name, third.name]


def test_samples_of_the_former_version_have_none(tmp_path):
    write_samples(tmp_path / "a", 2, 0)
    assert [scan.boxes for scan in loaded(tmp_path / "a")] == [None, None]
    assert loaded(tmp_path / "a", boxed=True) == []


def test_a_configuration_that_detects_nothing_reads_no_boxes(tmp_path):
    write_samples(tmp_path / "a", 1, 0, box_every=1)
    assert loaded(tmp_path / "a", replace(CONFIG, detection=None))[0].boxes is None


def test_rows_of_boxes_that_are_not_there_are_refused(tmp_path):
    write_samples(tmp_path / "a", 1, 0, box_every=1)
    boxes = np.load(tmp_path / "a" / "boxes.npy")
    boxes["class"][1] = 3
    np.save(tmp_path / "a" / "boxes.npy", boxes)
    with pytest.raises(DataError, match="scan 0 has boxes, or classes of them, that are not there"):
        loaded(tmp_path / "a")


def scan_with_boxes(rng) -> LabeledScan:
    """Points in and around three boxes, in the plane of the ground and above."""
    boxes = np.array(
        [[8, 1, 0.5, 4, 2, 1.5, 0.4], [-5, 6, 0.2, 1, 0.6, 1.8, -2.0], [2, -9, 1, 9, 2.5, 3, 1.5]], np.float64
    )
    xyz = rng.uniform([-15, -15, -1], [15, 15, 3], (30000, 3)).astype(np.float32)
    fields = {axis: xyz[:, i] for i, axis in enumerate("xyz")} | {"intensity": np.zeros(len(xyz), np.float32)}
    found = Boxes(boxes, np.array([0, 1, 0]), count_points(xyz, boxes))
    return LabeledScan("a", fields, np.full(len(xyz), IGNORED, np.int32), None, boxes=found)


@pytest.mark.parametrize(
    "settings",
    [
        {"rotation": 3.0, "flip": 0.5, "scale": (0.7, 1.4)},
        {"center": True, "lift": 1.0, "flip": 1.0, "rotation": 0.5},
        {"center": True, "rotation": 0.0, "flip": 0.0, "scale": (1.0, 1.0)},
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_boxes_hold_the_same_points_however_a_scan_is_moved(settings, seed):
    scan = scan_with_boxes(np.random.default_rng(seed))
    numbered = replace(scan, fields=scan.fields | {"intensity": np.arange(len(scan.label), dtype=np.float32)})
    config = replace(AugmentationConfig(drop=0.0, jitter=0.0), **settings)
    moved = augment(numbered, config, np.random.default_rng(seed), fused=False)
    assert moved.boxes is not None
    # A millimetre more, so that rounding puts no point outside.
    grown = moved.boxes.boxes + np.array([0, 0, 0, 1, 1, 1, 0]) * 2e-3
    before = points_within(scan.xyz, scan.boxes.boxes)
    for was, now, box in zip(before, points_within(moved.xyz, grown), moved.boxes.boxes, strict=True):
        numbers = moved.fields["intensity"][now].astype(int)
        assert len(was) > 3 and set(was) <= set(numbers.tolist()) and len(numbers) <= len(was) * 1.05 + 3
        assert abs(box[6]) <= np.pi


def test_the_corners_of_a_moved_box_are_those_of_the_moved_corners(rng):
    boxes = scan_with_boxes(rng).boxes
    moved = boxes.moved(0.8, 1.2, (-1, 1))
    for before, after in zip(box_corners(boxes.boxes), box_corners(moved.boxes), strict=True):
        x, y = -before[:, 0], before[:, 1]
        turned = 1.2 * np.stack(
            [np.cos(0.8) * x - np.sin(0.8) * y, np.sin(0.8) * x + np.cos(0.8) * y, before[:, 2]], axis=1
        )
        # Mirrored, left and right change places; the front stays the front.
        np.testing.assert_allclose(after, turned[[3, 2, 1, 0, 7, 6, 5, 4]], atol=1e-9)


def test_boxes_without_points_go_and_the_others_count_what_is_left(rng):
    scan = scan_with_boxes(rng)
    config = AugmentationConfig(rotation=0, scale=(1.0, 1.0), flip=0, jitter=0, drop=0.9, sector=1.0)
    seen = set()
    for seed in range(8):
        thinned = augment(scan, config, np.random.default_rng(seed), fused=False)
        assert thinned.boxes.points.tolist() == count_points(thinned.xyz, thinned.boxes.boxes).tolist()
        assert (thinned.boxes.points > 0).all()
        seen.add(len(thinned.boxes))
    assert seen & {0, 1} and max(seen) > 0


def test_a_mixed_scan_has_the_boxes_of_both_or_none(rng):
    scan = scan_with_boxes(rng)
    assert len(scan.joined_with(scan).boxes) == 6
    assert scan.joined_with(replace(scan, boxes=None)).boxes is None


def test_points_are_counted_where_nobody_did(rng):
    scan = scan_with_boxes(rng)
    named = NamedBoxes(scan.boxes.boxes, ("red-box", "unheard-of", "green-box"))
    found = boxes_of(named, CONFIG.detection, scan.xyz)
    assert found.classes.tolist() == [0, 1] and found.points.tolist() == scan.boxes.points[[0, 2]].tolist()


def test_kitti_boxes_stand_where_the_camera_says(tmp_path):
    write_scans(tmp_path, ["000003", "000004"], labels=False, layout={"boxes": "label_2/*.txt"})
    (tmp_path / "label_2").mkdir()
    # OBJECT turns the reference camera by 90 degrees about its axis: its x is the LiDAR's z, its y minus the LiDAR's y.
    (tmp_path / "label_2" / "000003.txt").write_text(
        "Car 0.00 0 1.55 614 181 727 284 1.5 1.7 4.0 1.0 2.0 10.0 -1.5707963\n"
        "DontCare -1 -1 -10 5 229 214 367 -1 -1 -1 -1000 -1000 -1000 -10\n"
    )
    config = replace(CONFIG, detection=DetectionConfig((DetectionClass("car", (0, 0, 0), ("Car",)),), stage=0))
    scans = loaded(source(tmp_path), config, boxed=True, labels=False)
    assert len(scans) == 1
    assert OBJECT.splitlines()[2] == "R0_rect: 0 -1 0 1 0 0 0 0 1"
    box = scans[0].boxes.boxes[0]
    # rotation_y of -90 degrees: the length points ahead, that is along the LiDAR's x.
    np.testing.assert_allclose(box[3:6], [4.0, 1.7, 1.5])
    np.testing.assert_allclose(box[6], 0, atol=1e-6)
    np.testing.assert_allclose(box[0], 10.0, atol=1e-9)

    # Boxes of what the image shows: what is beside it would be wrongly without one.
    layout = tmp_path / "layout.yaml"
    layout.write_text(layout.read_text() + "boxes_in_image: true\n")
    (shown,) = loaded(source(tmp_path), config, boxed=True, labels=False)
    dataset = source(tmp_path).open(config.classes)
    points = dataset.points(0)
    (exposure,) = dataset.exposures(0)
    *_, inside = project(np.stack([points[axis] for axis in "xyz"], axis=1), exposure.view)
    assert 0 < inside.sum() < len(inside) == len(scans[0].xyz)
    np.testing.assert_array_equal(shown.xyz, scans[0].xyz[inside])


def test_kitti_boxes_of_a_level_camera(tmp_path):
    path = tmp_path / "label.txt"
    path.write_text("Pedestrian 0.00 0 0 0 0 0 0 1.8 0.6 0.8 3.0 1.6 12.0 0.5\n")
    ahead = np.array([[0, -1, 0, 0], [0, 0, -1, -0.1], [1, 0, 0, -0.3], [0, 0, 0, 1.0]])
    found = read_kitti_boxes(path, ahead)
    assert found.names == ("Pedestrian",)
    # Right of the camera is the negative y; the middle is half a height above the bottom.
    np.testing.assert_allclose(found.boxes[0, :6], [12.3, -3.0, -(1.6 - 0.9) - 0.1, 0.8, 0.6, 1.8])
    # yaw = -rotation_y - 90 degrees, as everywhere with KITTI's LiDAR.
    np.testing.assert_allclose(found.boxes[0, 6], -0.5 - np.pi / 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [("Car 1 2 3\n", "line 1: 3 numbers after the type"), ("\nCar a 2 3\n", "line 2: could not convert")],
)
def test_malformed_lines_are_named(tmp_path, text, message):
    (tmp_path / "label.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_kitti_boxes(tmp_path / "label.txt", np.eye(4))


def test_tokens_are_the_means_of_their_voxels(rng):
    scan = scan_with_boxes(rng).subset(np.arange(400))
    sample = make_sample(scan, CONFIG, fused=False)
    xyz = scan.xyz[sample.representative].astype(np.float64)
    members: dict[int, list[int]] = {}
    for voxel, parent in enumerate(sample.inputs["parent_0"]):
        members.setdefault(int(parent), []).append(voxel)
    expected = np.array([xyz[members[token]].mean(axis=0) for token in range(len(members))], np.float32)
    np.testing.assert_allclose(sample.inputs["token_positions"], expected, rtol=1e-6)
    np.testing.assert_array_equal(token_positions(scan.xyz[sample.representative], sample.inputs, 0), xyz)
    assert sample.inputs["queries"].dtype == np.int32 and len(sample.inputs["queries"]) == 8


def test_farthest_tokens_are_each_the_farthest_from_those_before(rng):
    positions = rng.normal(size=(60, 3)).astype(np.float32)
    positions[40] = positions[7]
    chosen = farthest_points(positions, 30)
    assert chosen[0] == 0
    for place in range(1, 30):
        before = positions[chosen[:place]].astype(np.float64)
        distance = ((positions[:, None].astype(np.float64) - before) ** 2).sum(-1).min(axis=1)
        assert chosen[place] == distance.argmax()
    assert sorted(farthest_points(positions[:5], 9).tolist()) == [0, 1, 2, 3, 4]
