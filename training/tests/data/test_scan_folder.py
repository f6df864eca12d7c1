"""Scans as plain folders that a YAML file describes."""

import struct

import numpy as np
import pytest
import yaml
from conftest import make_config
from published_layouts import image_bytes, street_points, write_floats

from ditr_train.data.errors import DataError
from ditr_train.data.kitti_calibration import camera_2
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import IGNORED
from ditr_train.data.soft_labels import SoftLabelFolder
from ditr_train.data.source import scan_source
from ditr_train.encoders.image_encoder import ImageEncoder

CONFIG = make_config()
MEANING = {0: None, 7: "class-2", 9: ["class-1", "class-5"], 65535: None}
IDS = np.array([0, 7, 9, 65535])


def write_scans(folder, names, *, labels=True, images=True, layout=None):
    """Returns the positions in IDS of the points of each scan."""
    rng = np.random.default_rng(0)
    kinds = {}
    for name in names:
        points = street_points(rng, 50)
        write_floats(folder / "clouds" / f"{name}.bin", points)
        kinds[name] = rng.integers(0, len(IDS), len(points))
        if labels:
            (folder / "labels").mkdir(exist_ok=True)
            words = [17 << 16 | int(i) for i in IDS[kinds[name]]]
            (folder / "labels" / f"{name}.label").write_bytes(struct.pack(f"<{len(words)}I", *words))
        if images:
            for place in ("image_2", "calib"):
                (folder / place).mkdir(exist_ok=True)
            (folder / "image_2" / f"{name}.jpg").write_bytes(image_bytes("JPEG", rng))
            (folder / "calib" / f"{name}.txt").write_text(OBJECT)
    document = {"points": "clouds/*.bin", "images": "image_2/*.jpg", "calibration": "calib/*.txt"}
    document |= {"classes": MEANING} if labels else {}
    (folder / "layout.yaml").write_text(yaml.safe_dump(document | (layout or {})))
    return kinds


OBJECT = """P0: 40 0 23.5 0 0 40 15.5 0 0 0 1 0
P2: 40 0 23.5 2.4 0 40 15.5 0 0 0 1 0
R0_rect: 0 -1 0 1 0 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0.24 0 0 -1 0.1 1 0 0 0
"""


def source(folder, ranges=""):
    return scan_source(f"scans:{folder}:{folder / 'layout.yaml'}{ranges}")


def test_labels_are_classes_or_sets_of_them(tmp_path):
    kinds = write_scans(tmp_path, ["000003", "000010"])
    scans = load_scans([source(tmp_path)], CONFIG, None, progress=False)
    assert scans.names() == [f"scans/{tmp_path.name}/000003@300000000", f"scans/{tmp_path.name}/000010@1000000000"]
    for scan, kind in zip(scans, kinds.values(), strict=True):
        np.testing.assert_array_equal(scan.label, np.where(kind == 1, 1, IGNORED))
        np.testing.assert_array_equal(scan.candidates.allowed(), (kind == 2)[:, None] & [1, 0, 0, 0, 1])


def test_images_belong_to_points(tmp_path):
    write_scans(tmp_path, ["000003"])
    torch_encoder = ImageEncoder(CONFIG.image_encoder)
    (scan,) = load_scans([source(tmp_path)], CONFIG, torch_encoder, progress=False)
    assert scan.images is not None and 0 < scan.seen().mean() < 1


@pytest.mark.parametrize(
    ("ranges", "wanted"), [("", [1, 5, 6, 7, 20]), ("/5-7", [5, 6, 7]), ("/1,6-100", [1, 6, 7, 20])]
)
def test_ranges_choose_scans(tmp_path, ranges, wanted):
    write_scans(tmp_path, [f"{i:06}" for i in (1, 5, 6, 7, 20)], images=False)
    scans = load_scans([source(tmp_path, ranges)], CONFIG, None, progress=False)
    assert [int(name.split("/")[-1].split("@")[0]) for name in scans.names()] == wanted
    assert source(tmp_path, ranges).name == f"scans:layout{ranges}"


def test_soft_labels_stand_where_there_are_no_others(tmp_path):
    kinds = write_scans(tmp_path, ["000001"])
    name = f"scans/{tmp_path.name}/000001@100000000"
    soft = SoftLabelFolder.create(tmp_path / "soft", [["class-3"]])
    soft.write(name, np.zeros((50, 1)), np.full((50, 1), 0.5))
    (scan,) = load_scans([source(tmp_path)], CONFIG, None, soft_labels=soft, progress=False)
    kind, allowed = kinds["000001"], scan.candidates.allowed()
    np.testing.assert_array_equal(allowed[kind == 1], np.zeros((np.sum(kind == 1), 5), bool))
    np.testing.assert_array_equal(allowed[kind == 2], np.tile([1, 0, 0, 0, 1], (np.sum(kind == 2), 1)).astype(bool))
    unlabelled = np.isin(kind, (0, 3))
    np.testing.assert_array_equal(allowed[unlabelled], np.tile([0, 0, 1, 0, 0], (unlabelled.sum(), 1)).astype(bool))


def test_scans_without_labels_need_soft_ones(tmp_path):
    write_scans(tmp_path, ["000001"], labels=False)
    with pytest.raises(DataError, match="scans:layout: its scans have no labels, and no --soft-labels are given"):
        load_scans([source(tmp_path)], CONFIG, None, progress=False)
    soft = SoftLabelFolder.create(tmp_path / "soft", [["class-3"]])
    (scan,) = load_scans([source(tmp_path)], CONFIG, None, soft_labels=soft, progress=False)
    assert scan.candidates is None and (scan.label == IGNORED).all()
    (scan,) = load_scans([source(tmp_path)], CONFIG, None, labels=False, progress=False)
    assert (scan.label == IGNORED).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": {1: "tram"}}, "the class of the id 1: 'tram' is none of the configuration's, class-1, class-2"),
        ({"classes": {1: []}}, "the class of the id 1: an empty list of names"),
        ({"classes": {70000: "class-1"}}, "the id 70000 of classes is no number of 0 to 65535"),
        ({"points": "clouds"}, r"points: 'clouds' has not one \* in place of the scan's name"),
        ({"points": "elsewhere/*.bin"}, r"elsewhere/\*.bin: no scan there"),
        ({"columns": ["x", "y", "_", "_"]}, "x, y and z are not all among x, y, _, _"),
        ({"colums": ["x"]}, "scans.colums: unknown"),
    ],
)
def test_mistakes_are_named(tmp_path, changes, message):
    write_scans(tmp_path, ["000001"], layout=changes)
    with pytest.raises(DataError, match=message):
        load_scans([source(tmp_path)], CONFIG, None, progress=False)


def test_an_id_that_is_not_described_is_named(tmp_path):
    write_scans(tmp_path, ["000001"], layout={"classes": {0: None, 9: "class-1", 65535: None}})
    with pytest.raises(DataError, match=r"000001.label: the raw class id 7 of \d+ points is none of 0, 9, 65535"):
        load_scans([source(tmp_path)], CONFIG, None, progress=False)[0]


@pytest.mark.parametrize("split", ["train", "layout.yml/a-b", "layout.txt"])
def test_what_is_no_description(tmp_path, split):
    write_scans(tmp_path, ["000001"])
    with pytest.raises(DataError):
        load_scans([scan_source(f"scans:{tmp_path}:{split}")], CONFIG, None, progress=False)


def pixel(k, lidar_to_camera, point):
    u, v, w = k @ (lidar_to_camera @ [*point, 1])[:3]
    return u / w, v / w


def test_calibrations_of_kitti_say_where_a_point_is(tmp_path):
    """By the formulas of the readmes, matrix by matrix."""
    rng = np.random.default_rng(1)
    p2 = np.array([[40, 0, 23.5, 2.4], [0, 40, 15.5, -1.1], [0, 0, 1, 0.01]])
    axes = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]])
    rectify = np.linalg.qr(np.eye(3) + 0.01 * rng.normal(size=(3, 3)))[0]
    rectify *= np.sign(np.diag(rectify))
    tr = np.column_stack([axes, [0.2, 0.1, 0.05]])

    def row(name, values):
        return f"{name}: {' '.join(map(repr, np.ravel(values).tolist()))}\n"

    files = {
        "object": row("P2", p2) + row("R0_rect", rectify) + row("Tr_velo_to_cam", tr),
        "odometry": row("P2", p2) + row("Tr", rectify @ tr),
        "cam_to_cam": "calib_time: 09-Jan-2012 13:57:47\n"
        + row("T", [9, 9, 9])
        + row("R", np.eye(3))
        + row("P_rect_02", p2)
        + row("R_rect_00", rectify),
        "velo_to_cam": row("R", axes) + row("T", [0.2, 0.1, 0.05]),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for point in ((8.0, 1.0, -0.5), (20.0, -4.0, 1.0)):
        u, v, w = p2 @ np.append(rectify @ (tr @ [*point, 1]), 1)
        for used in (["object"], ["odometry"], ["cam_to_cam", "velo_to_cam"]):
            assert pixel(*camera_2([tmp_path / name for name in used]), point) == pytest.approx((u / w, v / w))
    with pytest.raises(DataError, match=r"it has R, T, where P2, R0_rect, Tr_velo_to_cam or P2, Tr or P_rect_02"):
        camera_2([tmp_path / "velo_to_cam"])
