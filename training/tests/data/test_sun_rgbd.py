"""The reader of SUN RGB-D, on files of its published layout."""

import importlib

import h5py
import numpy as np
import pytest
import scipy.io
from indoor_layouts import SUN_RGBD_PLACES, write_sun_rgbd
from PIL import Image
from published_layouts import HEIGHT, WIDTH, K

from ditr_train.data.errors import DataError
from ditr_train.data.sun_rgbd import SunRgbd
from ditr_train.geometry.projection import project

FIELDS = ["x", "y", "z", "red", "green", "blue", "label"]


def test_points_colours_and_classes_of_the_pixels_with_a_depth(tmp_path):
    truth = write_sun_rgbd(tmp_path)
    dataset = SunRgbd(tmp_path, "train")
    assert [dataset.frame_name(i) for i in range(len(dataset))] == [f"sun-rgbd/{p}" for p in SUN_RGBD_PLACES[:2]]
    for i in (1, 0):
        millimetres, rgb, labels, tilt = truth[i]
        frame = dataset.frame(i, FIELDS, "label", images=True)
        expected = []
        for row in range(HEIGHT):
            for column in range(WIDTH):
                if millimetres[row, column]:
                    depth = min(millimetres[row, column] / 1000, 8)
                    right, down = (column - K[0, 2]) / K[0, 0] * depth, (row - K[1, 2]) / K[1, 1] * depth
                    xyz = tilt.apply([right, depth, -down])
                    expected.append([*xyz, *rgb[row, column], labels[row, column]])
        expected = np.array(expected)
        assert (expected[:, 6] == 37).any() and (millimetres > 8000).any()
        np.testing.assert_allclose(np.stack([frame.fields[name] for name in FIELDS], 1), expected, atol=2e-6)


def test_a_point_is_seen_at_its_pixel(tmp_path):
    truth = write_sun_rgbd(tmp_path)
    frame = SunRgbd(tmp_path, "test").frame(0, FIELDS, "label", images=True)
    (exposure,) = frame.exposures
    xyz = np.stack([frame.fields[axis] for axis in "xyz"], 1).astype(float)
    u, v, depth, _ = project(xyz, exposure.view)
    row, column = np.nonzero(truth[2][0])
    np.testing.assert_allclose(u, column, atol=1e-4)
    np.testing.assert_allclose(v, row, atol=1e-4)
    np.testing.assert_allclose(depth, np.minimum(truth[2][0][row, column] / 1000, 8), atol=1e-5)


def test_splits_and_missing_files(tmp_path):
    write_sun_rgbd(tmp_path)
    assert len(SunRgbd(tmp_path, "test")) == 1 and SunRgbd(tmp_path, "test").has_images(0)
    with pytest.raises(DataError, match="sun-rgbd: the split 'val' is none of train, test"):
        SunRgbd(tmp_path, "val")
    toolbox = tmp_path / "SUNRGBDtoolbox"
    scipy.io.savemat(toolbox / "traintestSUNRGBD" / "allsplit.mat", {"alltest": np.array(["/a/b"], object)})
    with pytest.raises(DataError, match=r"allsplit\.mat: the path '/a/b' has no folder SUNRGBD"):
        SunRgbd(tmp_path, "test")
    with pytest.raises(DataError, match=r"allsplit\.mat: it has no variable alltrain"):
        SunRgbd(tmp_path, "train")
    scipy.io.savemat(toolbox / "traintestSUNRGBD" / "allsplit.mat", {"alltest": np.array(["/SUNRGBD/kv1/x"], object)})
    with pytest.raises(DataError, match=r"SUNRGBDMeta\.mat: 0 of the 1 folders of .*allsplit\.mat are there"):
        SunRgbd(tmp_path, "test")
    (toolbox / "Metadata" / "SUNRGBDMeta.mat").write_bytes(b"MATLAB")
    with pytest.raises(DataError, match=r"SUNRGBDMeta\.mat: "):
        SunRgbd(tmp_path, "test")


def test_damaged_files_are_named(tmp_path):
    write_sun_rgbd(tmp_path)
    here = tmp_path / "SUNRGBD" / SUN_RGBD_PLACES[2]

    def read():
        return SunRgbd(tmp_path, "test").frame(0, FIELDS, "label", images=False)

    with h5py.File(tmp_path / "SUNRGBDtoolbox" / "Metadata" / "SUNRGBD2Dseg.mat", "r+") as file:
        del file["#refs#/2"]
        file["SUNRGBD2Dseg/seglabel"][2, 0] = file.create_dataset("#refs#/3", data=np.zeros((5, 4), np.uint8)).ref
    with pytest.raises(DataError, match=r"SUNRGBD2Dseg\.mat: \(4, 5\) pixels of labels for \(32, 48\) of .*depth_bfx"):
        read()
    (tmp_path / "SUNRGBDtoolbox" / "Metadata" / "SUNRGBD2Dseg.mat").write_bytes(b"MATLAB")
    with pytest.raises(DataError, match=r"SUNRGBD2Dseg\.mat: .*file signature not found"):
        read()
    Image.new("RGB", (5, 4)).save(here / "image" / "0000103.jpg")
    with pytest.raises(DataError, match=r"0000103\.jpg: 5 x 4 pixels, but the depth 48 x 32"):
        read()
    Image.new("RGB", (5, 4)).save(here / "depth_bfx" / "0000103.png")
    with pytest.raises(DataError, match=r"0000103\.png: 3 dimensions, a grey image of 16 bits is needed"):
        read()
    (here / "depth_bfx" / "0000103.png").write_bytes(b"PNG")
    with pytest.raises(DataError, match=r"0000103\.png: cannot identify"):
        read()


@pytest.mark.parametrize("library", ["scipy", "h5py"])
def test_without_a_library_it_is_said_what_to_install(tmp_path, monkeypatch, library):
    write_sun_rgbd(tmp_path)
    whole = importlib.import_module

    def without(name, *arguments):
        if name.split(".")[0] == library:
            raise ImportError(name)
        return whole(name, *arguments)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(
        DataError, match=rf"read with {library}, which is not installed; pip install 'ditr-train\[sun-r"
    ):
        SunRgbd(tmp_path, "test").frame(0, FIELDS, "label", images=False)
