"""The average of the weights, the best of them, and evaluations on some of the validation scans."""

import csv

import pytest
import torch
from conftest import make_config, replace
from interruption import killed_at
from synthetic_samples import write_samples

from ditr_train.config.model_config import ConfigError
from ditr_train.data.loading import load_scans
from ditr_train.data.stored_scans import evenly_chosen
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.trained_network import load_segmentor
from ditr_train.engine.weight_average import WeightAverage
from ditr_train.methods.segmentation import Training


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    bag = tmp_path_factory.mktemp("average") / "bag"
    write_samples(bag, 3, seed=40)
    return load_scans([bag], image_free(), None, progress=False)


def image_free(**settings):
    config = replace(make_config(), injection=None, image_encoder=None)
    return replace(config, training=replace(config.training, **settings))


def training(scans, folder, *, resume=False, **settings):
    config = image_free(**{"steps": 6, "learning_rate": 0.01, "evaluate_every": 2, "average_decay": 0.9} | settings)
    run = RunFolder(folder)
    run.create(config, resume=resume)
    return Training(config, scans, run)


def test_it_is_the_weighted_mean_of_all_steps():
    network = torch.nn.Linear(1, 1, bias=False).double()
    network.weight.data.fill_(5.0)
    average = WeightAverage(network, 0.5)
    values = [5.0, 1.0, -2.0, 4.0]
    expected = values[0]
    for step, value in enumerate(values[1:], start=1):
        network.weight.data.fill_(value)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert average.state["weight"].item() == pytest.approx(expected)
    with average.applied():
        assert network.weight.item() == pytest.approx(expected)
    assert network.weight.item() == 4.0


def test_a_killed_training_has_the_same_average_and_the_same_best(scans, tmp_path):
    whole = training(scans, tmp_path / "whole")
    whole.fit(scans, progress=False)
    with killed_at(5):
        training(scans, tmp_path / "parts").fit(scans, progress=False)
    parts = training(scans, tmp_path / "parts", resume=True)
    parts.resume()
    parts.fit(scans, progress=False)
    for name in ("checkpoint.pt", "best.pt"):
        found, wanted = (RunFolder(tmp_path / run).load(name) for run in ("parts", "whole"))
        assert found.keys() == wanted.keys() and found["step"] == wanted["step"]
        for weights in {"model", "average"} & wanted.keys():
            torch.testing.assert_close(found[weights], wanted[weights], atol=0, rtol=0)
    # What is evaluated and exported is the average, of the last step or of the best.
    saved = whole.run.load("checkpoint.pt")
    assert not torch.equal(saved["average"]["head.weight"], saved["model"]["head.weight"])
    last = load_segmentor(whole.run, whole.config)
    torch.testing.assert_close(dict(last.state_dict()), saved["average"], atol=0, rtol=0)
    torch.testing.assert_close(dict(whole.segmentor.state_dict()), saved["average"], atol=0, rtol=0)
    best = load_segmentor(whole.run, whole.config, best=True)
    torch.testing.assert_close(dict(best.state_dict()), whole.run.load("best.pt")["model"], atol=0, rtol=0)
    with (tmp_path / "whole" / "log.csv").open() as stream:
        scores = [float(row["image_free_miou"]) for row in csv.DictReader(stream)]
    assert len(scores) == 3 and whole.run.load("best.pt")["merit"] == max(scores) == whole.best


def test_some_validation_scans_stand_for_all_on_the_way(scans, tmp_path, monkeypatch):
    seen = []
    watched = training(scans, tmp_path / "run", steps=2, evaluate_scans=2)
    monkeypatch.setattr(watched, "evaluation_row", lambda chosen: seen.append(list(chosen)) or {"x": 1})
    monkeypatch.setattr(watched, "merit", lambda row: None)
    watched.fit(scans, progress=False)
    assert [[scan.name for scan in chosen] for chosen in seen] == [[scans[0].name, scans[2].name]]
    assert not watched.run.has("best.pt")
    numbers = list(range(10))
    assert evenly_chosen(numbers, 0) == evenly_chosen(numbers, 10) == evenly_chosen(numbers, 99) == numbers
    assert evenly_chosen(numbers, 1) == [5] and evenly_chosen(numbers, 4) == [1, 3, 6, 8]


def test_the_average_goes_without_statistics_taken_anew():
    with pytest.raises(ConfigError, match=r"average_decay: 0\.9 goes with statistics_scans 0"):
        image_free(average_decay=0.9, statistics_scans=3)
