"""The reader of ScanNet, on files of its published layout."""

import numpy as np
import pytest
from published_layouts import CUBE, CUBE_CLASS_IDS, CUBE_LABELS, ply_bytes, write_scannet

from ditr_train.data.errors import DataError
from ditr_train.data.scannet import SCANNET, ScanNet
from ditr_train.data.scene_images import MOST_IMAGES
from ditr_train.geometry.projection import project

FIELDS = ["x", "y", "z", "red", "green", "blue", "normal_x", "normal_y", "normal_z", "label"]


@pytest.mark.parametrize("layout", ["ascii", "binary_little_endian"])
def test_vertices_colours_normals_and_classes(tmp_path, layout):
    write_scannet(tmp_path, ["scene0000_00", "scene0001_01"], layout=layout, seed=3)
    colors = np.random.default_rng(3).integers(0, 256, (8, 4))[:, :3]
    dataset = ScanNet(tmp_path, "train")
    assert len(dataset) == 2 and not dataset.has_images(0)
    frame = dataset.frame(0, FIELDS, "label", images=True)
    assert frame.bag == "scannet/scene0000_00" and frame.exposures == ()
    np.testing.assert_array_equal(np.stack([frame.fields[axis] for axis in "xyz"], 1), CUBE)
    np.testing.assert_array_equal(np.stack([frame.fields[name] for name in ("red", "green", "blue")], 1), colors)
    np.testing.assert_array_equal(frame.fields["label"], CUBE_CLASS_IDS)
    outwards = np.sign(np.array(CUBE) - 0.5)
    np.testing.assert_array_equal(np.sign([frame.fields[f"normal_{axis}"] for axis in "xyz"]).T, outwards)


def test_a_vertex_is_seen_where_the_pose_says(tmp_path):
    write_scannet(tmp_path, ["scene0000_00"], images=3)
    exposures = ScanNet(tmp_path, "train").exposures(0)
    assert len(exposures) == 2  # the pose of one is lost
    u, v, depth, visible = project(np.array([(0, 0, 0), (1, 1, 1.0)]), exposures[0].view)
    # 3 and 4 m away, half a metre right and below, then left and above.
    np.testing.assert_allclose(u, [23.5 + 40 * 0.5 / 3, 23.5 - 40 * 0.5 / 4])
    np.testing.assert_allclose(v, [15.5 + 40 * 0.5 / 3, 15.5 - 40 * 0.5 / 4])
    np.testing.assert_allclose(depth, [3, 4])
    assert visible.all()


def test_images_are_chosen_evenly(tmp_path):
    write_scannet(tmp_path, ["scene0000_00"], images=3 * MOST_IMAGES + 2)
    exposures = ScanNet(tmp_path, "train").exposures(0)
    color = tmp_path / "scans" / "scene0000_00" / "color"
    numbers = {(color / f"{i}.jpg").read_bytes(): i for i in range(3 * MOST_IMAGES + 2)}
    chosen = [numbers[exposure.image.encoded] for exposure in exposures]
    assert len(chosen) == MOST_IMAGES and chosen[0] == 0 and chosen[-1] == 3 * MOST_IMAGES + 1
    assert set(np.diff(chosen)) <= {3, 4}


def test_splits(tmp_path):
    write_scannet(tmp_path, ["scene0000_00"])
    write_scannet(tmp_path, ["scene0011_00", "scene0011_01"], split="val")
    write_scannet(tmp_path, ["scene0707_00"], split="test")
    assert [len(ScanNet(tmp_path, split)) for split in ("train", "val", "test")] == [1, 2, 1]
    assert len(ScanNet(tmp_path, "test").frame(0, FIELDS[:9], "label", images=False).fields["x"]) == 8
    with pytest.raises(DataError, match="scannet:test: ScanNet publishes no labels of this split"):
        ScanNet(tmp_path, "test").frame(0, FIELDS, "label", images=False)
    with pytest.raises(DataError, match="the split 'all' is none of train, val, test"):
        ScanNet(tmp_path, "all")
    with pytest.raises(DataError, match=r"scans/scannetv2_val\.txt: .*No such file"):
        ScanNet(tmp_path / "scans", "val")
    with (tmp_path / "scannetv2_val.txt").open("a") as scenes:
        scenes.write("scene0015_00\n")
    with pytest.raises(
        DataError, match=r"scannetv2_val\.txt: 1 of its 3 scenes are not there, such as .*/scene0015_00"
    ):
        ScanNet(tmp_path, "val")
    (tmp_path / "scannetv2_val.txt").write_text("\n")
    with pytest.raises(DataError, match=r"scannetv2_val\.txt: it is empty"):
        ScanNet(tmp_path, "val")


def vertices(count, *, label=1):
    properties = [
        *((axis, "float") for axis in "xyz"),
        *((c, "uchar") for c in ("red", "green", "blue")),
        ("label", "int"),
    ]
    return ("vertex", properties, [(0, 0, 0, 1, 2, 3, label)] * count)


def faces(*lists):
    return ("face", [("vertex_indices", "uchar", "int")], [(indices,) for indices in lists])


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("_vh_clean_2.ply", None, r"scene0000_00_vh_clean_2\.ply: No such file"),
        ("_vh_clean_2.ply", ply_bytes("ascii", [vertices(3)]), r"it has no element face, only vertex"),
        ("_vh_clean_2.ply", ply_bytes("ascii", [vertices(3), faces((0, 1, 3))]), "not all triangles of its 3 vertices"),
        (
            "_vh_clean_2.ply",
            ply_bytes("ascii", [vertices(4), faces((0, 1, 2, 3))]),
            "not all triangles of its 4 vertices",
        ),
        (
            "_vh_clean_2.labels.ply",
            ply_bytes("ascii", [vertices(7)]),
            "7 labels for the 8 points of scannet/scene0000_00",
        ),
        (
            "_vh_clean_2.labels.ply",
            ply_bytes("ascii", [vertices(8, label=41)]),
            r"labels\.ply: the raw class id 41 of 8",
        ),
        (
            "_vh_clean_2.labels.ply",
            ply_bytes("ascii", [vertices(8, label=-2)]),
            r"labels\.ply: the raw class id -2 of 8",
        ),
        ("_vh_clean_2.labels.ply", ply_bytes("ascii", [faces()]), r"labels\.ply: it has no element vertex, only face"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path, file, content, message):
    write_scannet(tmp_path, ["scene0000_00"])
    path = tmp_path / "scans" / "scene0000_00" / f"scene0000_00{file}"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        ScanNet(tmp_path, "train").frame(0, FIELDS, "label", images=False)


@pytest.mark.parametrize("file", ["intrinsic/intrinsic_color.txt", "pose/0.txt"])
def test_a_malformed_matrix_is_named(tmp_path, file):
    write_scannet(tmp_path, ["scene0000_00"], images=1)
    (tmp_path / "scans" / "scene0000_00" / file).write_text("1 0 0 0\n0 1 0 0")
    with pytest.raises(DataError, match=rf"{file}: 8 numbers, a matrix of 4 x 4 is needed"):
        ScanNet(tmp_path, "train").exposures(0)


def test_ids_that_are_none_of_nyu40_but_published_are_left_out():
    np.testing.assert_array_equal(SCANNET.apply(np.array([*CUBE_LABELS, 50, 149])), [*CUBE_CLASS_IDS, 0, 0])
