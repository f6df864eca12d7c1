"""Coarse and soft labels: what they say of points, through subsets, voxels, joined scans and files."""

import numpy as np
import pytest
from conftest import make_config, replace

from ditr_train.config.model_config import SemanticClass
from ditr_train.data.candidate_labels import CandidateLabels, coarse_labels, join_candidates
from ditr_train.data.errors import DataError
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.scans import LabeledScan, class_indices
from ditr_train.data.soft_labels import SoftLabelFolder

CLASSES = tuple(SemanticClass(id_, name, (0, 0, 0)) for id_, name in ((3, "car"), (1, "road"), (7, "parking")))


def allowed_names(candidates, point):
    return {entry.name for entry, allowed in zip(CLASSES, candidates.allowed()[point], strict=True) if allowed}


def test_ids_of_sets_become_sets_of_classes():
    candidates = coarse_labels(np.array([3, 20, 0, 21, 20]), {20: (1, 7), 21: (3, 7)}, CLASSES)
    assert [allowed_names(candidates, i) for i in range(5)] == [
        set(),
        {"road", "parking"},
        set(),
        {"car", "parking"},
        {"road", "parking"},
    ]
    np.testing.assert_array_equal(candidates.known(), [False, True, False, True, True])
    np.testing.assert_allclose(candidates.class_counts(), [0.5, 1.0, 1.5])
    assert coarse_labels(np.array([3, 1]), {20: (1, 7)}, CLASSES) is None


def test_scans_one_after_the_other_keep_what_is_known():
    first = coarse_labels(np.array([20, 0]), {20: (1, 7)}, CLASSES)
    sets = np.array([[True, False, False], [False, True, False]])
    second = CandidateLabels(sets, np.array([[0, 1]], np.int32), np.array([[0.5, 0.25]], np.float32))
    joined = join_candidates([first, None, second], [2, 3, 1])
    assert [allowed_names(joined, i) for i in range(6)] == [{"road", "parking"}, *[set()] * 4, {"car", "road"}]
    np.testing.assert_allclose(joined.weight.sum(1), [1, 0, 0, 0, 0, 0.75])
    assert join_candidates([None, None], [2, 3]) is None


def test_what_both_know_of_the_same_points():
    first = coarse_labels(np.array([20, 0, 0]), {20: (1, 7)}, CLASSES)
    both = first.beside(coarse_labels(np.array([0, 20, 0]), {20: (3,)}, CLASSES))
    assert [allowed_names(both, i) for i in range(3)] == [{"road", "parking"}, {"car"}, set()]
    left = both.where(np.array([False, True, True])).subset(np.array([1, 0]))
    assert [allowed_names(left, i) for i in range(2)] == [{"car"}, set()]


def test_mixed_scans_keep_what_is_known():
    names = dict.fromkeys("xyz", np.zeros(2, np.float32))
    plain = LabeledScan("plain", names, np.array([0, 2]), None)
    coarse = coarse_labels(np.array([20, 0]), {20: (1, 7)}, CLASSES)
    mixed = plain.joined_with(LabeledScan("coarse", names, np.array([-1, 1]), None, None, coarse))
    assert list(mixed.label) == [0, 2, -1, 1]
    assert [allowed_names(mixed.candidates, i) for i in range(4)] == [set(), set(), {"road", "parking"}, set()]


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.uint32, np.float32])
def test_ids_and_indices_may_be_above_255(kind):
    classes = tuple(SemanticClass(i, f"class-{i}", (0, 0, 0)) for i in (300, *range(2, 290)))
    config = replace(make_config(), classes=classes)
    ids = np.array([0, 1, 2, 200, 255]).astype(kind)
    np.testing.assert_array_equal(class_indices(ids, config), [-1, -1, 1, 199, 254])
    if kind != np.uint8:
        np.testing.assert_array_equal(
            class_indices(np.array([289, 290, 300, 301]).astype(kind), config), [288, -1, 0, -1]
        )


def test_a_learning_map_holds_more_than_255_classes():
    names = {i: f"class-{i}" for i in range(1, 401)}
    raw = {1000 + i: i for i in names}
    np.testing.assert_array_equal(LearningMap(names, raw).apply(np.array([1400, 1001, 1300])), [400, 1, 300])


def test_soft_labels_come_back_from_files_that_are_mapped(tmp_path):
    folder = SoftLabelFolder.create(tmp_path / "soft", [["road", "parking"], ["car"]])
    target, weight = np.array([[0, 1], [1, 0], [0, 0]]), np.array([[0.75, 0.25], [0.5, 0], [0, 0]])
    folder.write("scans/place/000003@300", target, weight)
    again = SoftLabelFolder.open(tmp_path / "soft")
    read = again.read("scans/place/000003@300", 3, CLASSES)
    assert [allowed_names(read, i) for i in range(3)] == [{"road", "parking", "car"}, {"car"}, set()]
    np.testing.assert_array_equal(read.weight, weight.astype(np.float32))
    assert again.read("scans/place/000004@400", 3, CLASSES) is None
    stored = np.load(tmp_path / "soft/scans/place/000003@300.target.npy", mmap_mode="r")
    assert isinstance(stored, np.memmap) and stored.dtype == np.uint16


def test_soft_labels_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"nowhere/soft-labels.json: no index of soft labels .* ditr-train pseudo-label"
    ):
        SoftLabelFolder.open(tmp_path / "nowhere")
    folder = SoftLabelFolder.create(tmp_path, [["road"], ["tram"]])
    folder.write("a@0", np.zeros((3, 1)), np.ones((3, 1)))
    with pytest.raises(DataError, match=r"a@0.target.npy: its shape is \[3, 1\], the scan has 4 points"):
        folder.read("a@0", 4, CLASSES)
    with pytest.raises(DataError, match="the class 'tram' is none of car, road, parking"):
        folder.read("a@0", 3, CLASSES)
    folder.write("b@0", np.full((3, 1), 2), np.ones((3, 1)))
    with pytest.raises(DataError, match="more than the 2 targets"):
        folder.read("b@0", 3, CLASSES)
