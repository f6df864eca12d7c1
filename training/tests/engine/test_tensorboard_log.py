"""TensorBoard shows what log.csv has, also of a training that was killed."""

import csv
import sys

import pytest
from interruption import killed_at
from small_training import write_config
from synthetic_samples import write_samples
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ditr_train.cli import main
from ditr_train.engine.tensorboard_log import TensorBoardLog


@pytest.fixture
def command(tmp_path):
    write_samples(tmp_path / "samples", 2, seed=80)
    config = str(write_config(tmp_path / "config.yaml"))
    bags = ["--bags", str(tmp_path / "samples"), "--validation", str(tmp_path / "samples")]
    return ["train", config, *bags, "--image-free", "--threads", "1", "--tensorboard", "-o", str(tmp_path / "run")]


def test_a_resumed_run_reads_back_as_its_log(command, tmp_path):
    run = tmp_path / "run"
    with killed_at(14):
        main(command)
    with (run / "log.csv").open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["8"]
    # A row after the checkpoint of step 8, as of a kill before its own checkpoint, is written again.
    TensorBoardLog(run / "tensorboard").add({"step": 16, "loss": 99.0, "image_free_miou": 0.0})
    assert main([*command, "--resume"]) == 0
    with (run / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    assert set(events.Tags()["scalars"]) == {"loss", "image_free_miou"}
    for name in ("loss", "image_free_miou"):
        found = [(event.step, round(event.value, 4)) for event in events.Scalars(name)]
        assert found == [(int(row["step"]), pytest.approx(float(row[name]), abs=1e-4)) for row in rows]
    assert [row["step"] for row in rows] == ["8", "16", "20"]


def test_without_tensorboard_it_is_said_how_to_get_it(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert main(command) == 2
    assert "pip install 'ditr-train[tensorboard]'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
