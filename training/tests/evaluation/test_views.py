"""Scans that are seen several times, and scans of which little is known."""

import json

import numpy as np
import pytest
import torch
from conftest import make_config, make_segmentor, replace
from numbered_scans import make_scan
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.conversion import ConfigError
from ditr_train.config.views_config import ViewsConfig
from ditr_train.data.scans import make_sample
from ditr_train.evaluation.segmentation import predict, score
from ditr_train.model.device import CPU, tensors_on


@pytest.mark.parametrize("fused", [True, False])
def test_the_probabilities_of_all_views_are_added_up(rng, fused):
    config = make_config()
    segmentor, scan = make_segmentor(config), make_scan(1, 400)
    # Some points are inside the range only where the scan is made smaller, some never.
    far = scan.fields["x"].copy()
    far[:20], far[20:30] = 21.0, 90.0
    scan = replace(scan, fields=scan.fields | {"x": far})
    views = ViewsConfig((0.0, np.pi / 2, np.pi), (0.9, 1.0))
    total = np.zeros((400, 5))
    for turn in views.turns:
        for scale in views.scales:
            x, y = scan.fields["x"].astype(float), scan.fields["y"].astype(float)
            fields = {
                "x": scale * (np.cos(turn) * x - np.sin(turn) * y),
                "y": scale * (np.sin(turn) * x + np.cos(turn) * y),
                "z": scale * scan.fields["z"].astype(float),
            }
            fields = scan.fields | {name: values.astype(np.float32) for name, values in fields.items()}
            sample = make_sample(replace(scan, fields=fields), config, fused=fused)
            with torch.no_grad():
                logits = segmentor(tensors_on(CPU, sample.inputs)).double().numpy()
            softmax = np.exp(logits - logits.max(1, keepdims=True))
            softmax /= softmax.sum(1, keepdims=True)
            inside = sample.point_to_voxel >= 0
            total[inside] += softmax[sample.point_to_voxel[inside]]
    found = predict(segmentor, scan, config, views=views, fused=fused)
    top = np.sort(total, axis=1)
    clear = top[:, -1] - top[:, -2] > 1e-5
    np.testing.assert_array_equal(found[clear], total.argmax(1)[clear])
    assert clear[:20].all() and (found[:20] >= 0).all() and (found[20:30] == -1).all()
    plain = predict(segmentor, scan, config, fused=fused)
    assert (plain[:30] == -1).all() and (plain != found)[30:].any()
    np.testing.assert_array_equal(predict(segmentor, scan, config, views=ViewsConfig(), fused=fused), plain)


def test_scores_are_those_of_the_views():
    config = make_config()
    segmentor, scans = make_segmentor(config), [make_scan(seed, 300) for seed in (1, 2)]
    views = ViewsConfig((0.0, 1.0), (0.9, 1.1))
    scores = score(segmentor, scans, config, views=views)
    assert scores["views"] == 4 and "views" not in score(segmentor, scans, config)
    votes = [predict(segmentor, scan, config, views=views, fused=True) == scan.label for scan in scans]
    assert scores["fused"]["accuracy"] == pytest.approx(np.mean(votes))


def test_the_command_asks_the_configuration_of_the_run(tmp_path, capsys):
    write_samples(tmp_path / "drive", 2, seed=1)
    config = write_config(tmp_path / "config.yaml", steps=2)
    common = ["--bags", str(tmp_path / "drive"), "--threads", "1"]
    run = str(tmp_path / "run")
    assert main(["train", str(config), "--image-free", *common, "-o", run]) == 0
    evaluate_it = ["evaluate", run, *common, "--json", str(tmp_path / "scores.json"), "--force"]
    assert main([*evaluate_it, "--test-time"]) == 2
    assert "its configuration has no test_time; --set test_time.scales=" in capsys.readouterr().err
    assert main([*evaluate_it, "--set", "test_time.scales=[1]"]) == 2
    assert "evaluate changes nothing but test_time" in capsys.readouterr().err
    assert (
        main([*evaluate_it, "--test-time", "--set", "test_time.scales=[0.9,1]", "--set", "test_time.turns=[0,3]"]) == 0
    )
    assert json.loads((tmp_path / "scores.json").read_text())["views"] == 4
    with pytest.raises(ConfigError, match=r"test_time.scales: \[1, 0\] are not all above 0"):
        ViewsConfig(scales=(1, 0))
