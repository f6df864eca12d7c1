"""Scores of both modes from one reading, and of scans that say nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import make_config, make_segmentor
from synthetic_samples import write_samples

from ditr_train.data.loading import load_scans
from ditr_train.data.scans import IGNORED, make_sample
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.evaluation.metrics import ConfusionMatrix
from ditr_train.evaluation.segmentation import evaluate, predict, score


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A configuration, a network and scans with images."""
    folder = tmp_path_factory.mktemp("scored")
    write_samples(folder, 3, seed=70)
    config = make_config()
    return (
        config,
        make_segmentor(config),
        load_scans([folder], config, ImageEncoder(config.image_encoder), progress=False),
    )


class CountedScans(list):
    """Counts how often a scan is read."""

    read = 0

    def __getitem__(self, index):
        self.read += 1
        return super().__getitem__(index)


def test_both_modes_are_those_of_predict_and_each_scan_is_read_once(scored):
    config, segmentor, scans = scored
    counted = CountedScans(scans)
    found = evaluate(segmentor, counted, config)
    assert counted.read == len(scans) and list(found) == ["fused", "image_free"]
    for mode, result in found.items():
        everywhere, visible = (ConfusionMatrix([entry.name for entry in config.classes]) for _ in range(2))
        for scan in scans:
            prediction = predict(segmentor, scan, config, fused=mode == "fused")
            everywhere.add(scan.label, prediction)
            visible.add(scan.label[scan.seen()], prediction[scan.seen()])
        np.testing.assert_array_equal(result.all_points.counts, everywhere.counts)
        np.testing.assert_array_equal(result.visible_points.counts, visible.counts)
    assert (found["fused"].all_points.counts != found["image_free"].all_points.counts).any()


def test_a_sample_without_images_is_that_of_the_scan_without_them(scored):
    config, _, scans = scored
    with_images, without = (make_sample(scans[0], config, fused=fused) for fused in (True, False))
    stripped = with_images.without_images()
    assert stripped.inputs.keys() == without.inputs.keys() != with_images.inputs.keys()
    for name, values in without.inputs.items():
        np.testing.assert_array_equal(stripped.inputs[name], values)


def test_a_scan_without_labels_leaves_scores_numbers(scored):
    config, segmentor, scans = scored
    bare = replace(scans[0], label=np.full_like(scans[0].label, IGNORED))
    with_bare = score(segmentor, [bare, *scans[1:]], config)
    json.dumps(with_bare, allow_nan=False)
    assert with_bare["share_of_points_seen"] == score(segmentor, scans[1:], config)["share_of_points_seen"]
    alone = score(segmentor, [bare], config)
    json.dumps(alone, allow_nan=False)
    assert "share_of_points_seen" not in alone
