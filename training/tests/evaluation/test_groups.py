"""Scores over groups of classes."""

import numpy as np
import pytest
from conftest import CONFIGS, make_config

from ditr_train.config.conversion import ConfigError
from ditr_train.config.model_config import load_config
from ditr_train.data.candidate_labels import coarse_labels
from ditr_train.data.scans import IGNORED, LabeledScan
from ditr_train.evaluation.groups import NO_GROUP, load_groups

CLASSES = make_config().classes


def write(path, text):
    path.write_text(text)
    return path


def test_a_point_counts_where_all_its_classes_are_of_one_group(tmp_path):
    groups = load_groups(write(tmp_path / "g.yaml", "ground: [class-1, class-2]\nwall: [class-4]\n"), CLASSES)
    assert groups.names == ("ground", "wall")
    label = np.array([0, 1, 2, 3, *[IGNORED] * 5], np.int32)
    ids = np.array([0, 0, 0, 0, 10, 11, 12, 13, 0])
    sets = {10: (1, 2), 11: (1, 4), 12: (3, 4), 13: (4,)}
    scan = LabeledScan("scan", {}, label, None, None, coarse_labels(ids, sets, CLASSES))
    none = NO_GROUP
    np.testing.assert_array_equal(groups.truth(scan), [0, 0, none, 1, 0, none, none, 1, none])
    np.testing.assert_array_equal(groups.truth(LabeledScan("scan", {}, label, None))[:4], [0, 0, none, 1])
    np.testing.assert_array_equal(groups.prediction(np.array([4, 3, -1, 0])), [none, 1, none, 0])


def test_the_shipped_groups_hold_every_class_of_the_street_models_once():
    groups = load_groups(CONFIGS / "street.groups.yaml", load_config(CONFIGS / "street-tiny.yaml").classes)
    assert len(groups.names) == 7 and (groups.of_class >= 0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [class-1]\nb: [class-1]\n", "g.yaml: b: class-1 is in another group too"),
        ("a: [tram]\n", "g.yaml: a: 'tram' is none of the classes class-1"),
        ("a: class-1\n", "a: 'class-1' is no list"),
        ("- a\n", "no mapping of groups"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_groups(write(tmp_path / "g.yaml", text), CLASSES)
