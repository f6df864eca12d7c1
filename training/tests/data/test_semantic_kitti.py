"""The reader of SemanticKITTI, on files of its published layout and, where they are, on real ones."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from published_layouts import KITTI_CLASS_IDS, KITTI_RAW_IDS, write_semantic_kitti

from ditr_train.data.errors import DataError
from ditr_train.data.semantic_kitti import SEMANTIC_KITTI, SemanticKitti
from ditr_train.geometry.projection import project

FIELDS = ["x", "y", "z", "intensity", "label"]


def test_points_classes_and_stamps(tmp_path):
    truth = write_semantic_kitti(tmp_path, {"08": 3})
    dataset = SemanticKitti(tmp_path, "val")
    assert len(dataset) == 3
    for scan in range(3):
        frame = dataset.frame(scan, FIELDS, "label", images=True)
        points, kinds = truth["08", scan]
        np.testing.assert_array_equal(np.stack([frame.fields[name] for name in FIELDS[:4]], 1), points)
        np.testing.assert_array_equal(frame.fields["label"], np.array(KITTI_CLASS_IDS)[kinds])
        assert frame.stamp == pytest.approx(scan * 103_700_000, abs=1000)
        assert frame.bag == f"semantic-kitti/08/{scan:06}"
        assert frame.exposures[0].image.stamp == frame.stamp


def test_a_point_is_seen_where_p2_and_tr_say(tmp_path):
    write_semantic_kitti(tmp_path, {"08": 1})
    (exposure,) = SemanticKitti(tmp_path, "08").exposures(0)
    points = np.array([[4.0, 0.24, 0.1], [8.0, -1.0, 0.5], [-4.0, 0.24, 0.1]])
    u, v, depth, visible = project(points, exposure.view)
    # P2 * Tr * point, written out: x right of the reference camera is 0.24 - y, down is 0.1 - z.
    np.testing.assert_allclose(u[:2], [23.5 + 40 * 0.06 / 4, 23.5 + 40 * (1.24 + 0.06) / 8], atol=1e-9)
    np.testing.assert_allclose(v[:2], [15.5, 15.5 - 40 * 0.4 / 8], atol=1e-9)
    np.testing.assert_allclose(depth[:2], [4, 8])
    np.testing.assert_array_equal(visible, [True, True, False])


def test_splits_sequences_and_parts_of_them(tmp_path):
    write_semantic_kitti(tmp_path / "dataset", {f"{n:02}": 2 for n in (*range(8), 9, 10)} | {"08": 5}, images=False)
    assert len(SemanticKitti(tmp_path, "train")) == 20
    assert len(SemanticKitti(tmp_path, "val")) == 5
    part = SemanticKitti(tmp_path, "08/1-3")
    assert [part.frame_name(i)[-6:] for i in range(len(part))] == ["000001", "000002", "000003"]
    assert not part.has_images(0) and part.exposures(0) == ()
    with pytest.raises(DataError, match=r"sequences/11/velodyne: no \.bin file there"):
        SemanticKitti(tmp_path, "test")
    with pytest.raises(DataError, match=r"no scan 7 to 9 among its 5"):
        SemanticKitti(tmp_path, "08/7-9")
    with pytest.raises(DataError, match="the split 'validation' is none of train, val, test"):
        SemanticKitti(tmp_path, "validation")
    with pytest.raises(DataError, match="neither sequences nor dataset/sequences"):
        SemanticKitti(tmp_path / "08", "val")


def test_scans_without_times_are_a_tenth_of_a_second_apart(tmp_path):
    write_semantic_kitti(tmp_path, {"08": 2}, images=False)
    (tmp_path / "sequences" / "08" / "times.txt").unlink()
    assert SemanticKitti(tmp_path, "val").stamp(1) == 100_000_000


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("velodyne/000000.bin", bytes(18), r"velodyne/000000\.bin: its 18 bytes are no whole number of points of 16"),
        (
            "labels/000000.label",
            bytes(8),
            r"labels/000000\.label: 2 labels for the 60 points of semantic-kitti/08/000000",
        ),
        ("labels/000000.label", struct.pack("<60I", *[7 << 16 | 12] * 60), r"000000\.label: the raw class id 12 of 60"),
        ("labels/000000.label", struct.pack("<60I", *[65535] * 60), r"000000\.label: the raw class id 65535 of 60"),
        ("labels/000000.label", None, r"labels/000000\.label: No such file"),
        ("image_2/000000.png", b"GIF", r"image_2/000000\.png: cannot identify image"),
        ("calib.txt", b"P2: 1 2 3\n", r"calib\.txt: 3 numbers after P2:, 12 are needed"),
        ("times.txt", b"", r"times\.txt: 0 lines, but there is a scan 000000"),
        ("times.txt", b"now\n", r"times\.txt: could not convert string to float: 'now'"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path, file, content, message):
    write_semantic_kitti(tmp_path, {"08": 1})
    path = tmp_path / "sequences" / "08" / file
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        SemanticKitti(tmp_path, "val").frame(0, FIELDS, "label", images=True)


def test_every_raw_id_has_its_class():
    ids = np.array([*KITTI_RAW_IDS, 99, 60, 256])
    np.testing.assert_array_equal(SEMANTIC_KITTI.apply(ids), [*KITTI_CLASS_IDS, 0, 9, 5])
    for unknown in (2, 12, 82, 251, 260, 65535):
        with pytest.raises(DataError, match=f"the raw class id {unknown} of 1 points"):
            SEMANTIC_KITTI.apply(np.array([0, unknown], np.uint32))


@pytest.mark.skipif("DITR_REAL_DATA" not in os.environ, reason="DITR_REAL_DATA names no folder of real data")
def test_real_scans_have_the_classes_of_a_street(tmp_path):
    real = Path(os.environ["DITR_REAL_DATA"]) / "semantickitti"
    sequence = tmp_path / "sequences" / "00"
    sequence.mkdir(parents=True)
    (sequence / "velodyne").symlink_to(real / "subset" / "velodyne")
    (sequence / "labels").symlink_to(real / "subset" / "labels")
    (sequence / "calib.txt").symlink_to(real / "calib.txt")
    (sequence / "image_2").mkdir()
    Image.new("RGB", (1241, 376)).save(sequence / "image_2" / "000006.png")
    dataset = SemanticKitti(tmp_path, "00")
    assert [dataset.frame_name(i)[-2:] for i in range(len(dataset))] == [f"{n:02}" for n in range(6, 21)]
    names = SEMANTIC_KITTI.classes
    for index in (0, 14):
        fields = dataset.frame(index, FIELDS, "label", images=True).fields
        height = {names[c]: np.median(fields["z"][fields["label"] == c]) for c in np.unique(fields["label"]) if c}
        assert {"road", "sidewalk", "building", "vegetation", "car"} <= height.keys()
        # The sensor is 1.73 m above the road.
        assert -2.1 < height["road"] < -1.4
        assert height["road"] < height["car"] < height["building"]
        assert fields["intensity"].min() >= 0 and fields["intensity"].max() <= 1
    # A level camera sees what is far away about its principal point, on both sides of it.
    (exposure,) = dataset.exposures(0)
    fields = dataset.points(0)
    u, v, depth, visible = project(np.stack([fields[axis] for axis in "xyz"], 1), exposure.view)
    assert 0.1 < visible.mean() < 0.3
    far = visible & (depth > 30) & (np.abs(fields["z"]) < 1)
    assert abs(np.median(v[far]) - 185.2) < 25 and 0.2 < (u[visible] > 607.2).mean() < 0.8
