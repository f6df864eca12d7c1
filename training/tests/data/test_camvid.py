"""Labelled images of CamVid."""

import numpy as np
import pytest
from conftest import CONFIGS
from PIL import Image

from ditr_train.config.model_config import load_config
from ditr_train.data.camvid import read_camvid
from ditr_train.data.errors import DataError
from ditr_train.data.loading import load_scans
from ditr_train.data.source import scan_source
from ditr_train.methods.encoder_training import load_images


def write_pair(folder, name, labels, size=(12, 8)):
    for part in ("train", "trainannot"):
        (folder / part).mkdir(exist_ok=True)
    Image.new("RGB", size, (10, 20, 30)).save(folder / "train" / f"{name}.jpg")
    Image.fromarray(labels).save(folder / "trainannot" / f"{name}.png")


def test_labels_are_those_of_the_classes_by_name(tmp_path):
    labels = np.zeros((8, 12), np.uint8)
    labels[0] = np.arange(12)
    write_pair(tmp_path, "b", labels)
    write_pair(tmp_path, "a", np.full((8, 12), 3, np.uint8))
    classes = load_config(CONFIGS / "street-surround.yaml").classes
    ids = {entry.name: entry.id for entry in classes}
    first, second = read_camvid(tmp_path, "train", classes)
    assert (first.stamp, second.stamp) == (0, 1)
    assert (first.semantic == ids["road"]).all()
    # sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, bicyclist, void
    names = [
        "building",
        "pole",
        "road",
        "sidewalk",
        "vegetation",
        "traffic-sign",
        "fence",
        "car",
        "person",
        "bicyclist",
    ]
    assert second.semantic is not None
    np.testing.assert_array_equal(second.semantic[0], [0, *(ids[name] for name in names), 0])


def test_what_does_not_fit_is_named(tmp_path):
    classes = load_config(CONFIGS / "street-surround.yaml").classes
    with pytest.raises(DataError, match=r"train: no images; train/ and trainannot/ should be there"):
        read_camvid(tmp_path, "train", classes)
    write_pair(tmp_path, "a", np.zeros((8, 10), np.uint8))
    with pytest.raises(
        DataError, match=r"a\.png: 10x8 labels up to 0 are not the 12x8 of a\.jpg with classes below 12"
    ):
        read_camvid(tmp_path, "train", classes)
    write_pair(tmp_path, "a", np.full((8, 12), 12, np.uint8))
    with pytest.raises(DataError, match="labels up to 12 are not"):
        read_camvid(tmp_path, "train", classes)
    (tmp_path / "trainannot" / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png"):
        read_camvid(tmp_path, "train", classes)


def test_an_encoder_is_trained_on_it_and_a_network_is_not(tmp_path):
    write_pair(tmp_path, "a", np.full((8, 12), 3, np.uint8))
    config = load_config(CONFIGS / "street-surround.yaml")
    camvid, kitti = scan_source(f"camvid:{tmp_path}:train"), scan_source(f"semantic-kitti:{tmp_path}:train")
    (image,) = load_images([camvid], config, progress=False)
    road = [entry.name for entry in config.classes].index("road")
    assert set(np.unique(image.label)) <= {-1, road} and (image.label == road).mean() > 0.5
    with pytest.raises(DataError, match="camvid:train: images without clouds, only train-encoder takes them"):
        load_scans([camvid], config, None, progress=False)
    with pytest.raises(DataError, match="semantic-kitti:train: its images have no class ids, train-encoder takes bags"):
        load_images([kitti], config, progress=False)
