"""The reader of ScanNet200, on files of its published layout."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from indoor_layouts import SCANNET200_CLASS_IDS, write_scannet200
from published_layouts import CUBE

from ditr_train.data.errors import DataError
from ditr_train.data.scannet200 import ScanNet200

CLASSES = yaml.safe_load((Path(__file__).parents[2] / "configs" / "scannet200.classes.yaml").read_text())
NAMES = {entry["id"]: entry["name"] for entry in CLASSES}
FIELDS = ["x", "y", "z", "red", "label"]
SCENE = "scene0000_00"


def test_objects_of_segments_are_classes(tmp_path):
    write_scannet200(tmp_path, [SCENE], NAMES, images=1)
    dataset = ScanNet200(tmp_path, "train")
    frame = dataset.frame(0, FIELDS, "label", images=True)
    np.testing.assert_array_equal(np.stack([frame.fields[axis] for axis in "xyz"], 1), CUBE)
    np.testing.assert_array_equal(frame.fields["label"], SCANNET200_CLASS_IDS)
    assert dataset.raw_labels(0).dtype == np.uint16
    assert dataset.name == "scannet200:train" and frame.bag == f"scannet/{SCENE}" and len(frame.exposures) == 1


def test_the_table_names_the_classes_of_the_class_file(tmp_path):
    write_scannet200(tmp_path, [SCENE], NAMES)
    classes = ScanNet200(tmp_path, "train").learning_map.classes
    assert len(classes) == 200 and list(classes.items()) == list(NAMES.items()) and max(classes) == 1191
    with pytest.raises(DataError, match=r"scannet200: the split 'all' is none of train, val, test"):
        ScanNet200(tmp_path, "all")


def test_the_test_split_has_no_labels(tmp_path):
    write_scannet200(tmp_path, ["scene0707_00"], NAMES, split="test")
    dataset = ScanNet200(tmp_path, "test")
    assert len(dataset.frame(0, FIELDS[:4], "label", images=False).fields["x"]) == 8
    with pytest.raises(DataError, match="scannet200:test: ScanNet publishes no labels of this split"):
        dataset.frame(0, FIELDS, "label", images=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"labels\.combined\.tsv: .*No such file"),
        ("id\tcategory\n1\twall\n", r"labels\.combined\.tsv: it has no column 'raw_category'"),
        ("id\traw_category\tcategory\none\twall\twall\n", r"labels\.combined\.tsv: invalid literal for int"),
        ("id\traw_category\tcategory\n1\twall\n", r"labels\.combined\.tsv: .*NoneType"),
        (
            "id\traw_category\tcategory\n1\twall\twall\n",
            r"it lacks 199 of the 200 ids, such as 2; the table of ScanNet",
        ),
    ],
)
def test_a_malformed_table_is_named(tmp_path, content, message):
    write_scannet200(tmp_path, [SCENE], NAMES)
    table = tmp_path / "scannetv2-labels.combined.tsv"
    table.unlink() if content is None else table.write_text(content)
    with pytest.raises(DataError, match=message):
        ScanNet200(tmp_path, "train")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (".aggregation.json", None, r"scene0000_00\.aggregation\.json: .*No such file"),
        (".aggregation.json", "[]", r"aggregation\.json: it has no list segGroups"),
        (".aggregation.json", '{"segGroups": [{"label": "wall"}]}', r"no label or no segments: KeyError\('segments'\)"),
        (".aggregation.json", '{"segGroups": [{"label": "wall", "segments": [[7]]}]}', "an object of segGroups has"),
        ("_vh_clean_2.0.010000.segs.json", None, r"010000\.segs\.json: .*No such file"),
        ("_vh_clean_2.0.010000.segs.json", '{"segIndices": [[1, 2]]}', "segIndices is no list of numbers"),
        ("_vh_clean_2.0.010000.segs.json", '{"segIndices": ["a"]}', "segs.json: segIndices: invalid literal"),
        ("_vh_clean_2.0.010000.segs.json", '{"segIndices": [7, 2]}', "2 labels for the 8 points of scannet/scene0000"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path, file, content, message):
    write_scannet200(tmp_path, [SCENE], NAMES)
    path = tmp_path / "scans" / SCENE / f"{SCENE}{file}"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(DataError, match=message):
        ScanNet200(tmp_path, "train").frame(0, FIELDS, "label", images=False)
