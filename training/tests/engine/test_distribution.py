"""Processes that torchrun starts against one process with the same batches."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import CONFIGS
from plain_training import train
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.engine.distribution import Distribution

PACKAGE = CONFIGS.parent
PROGRAM = Path(__file__).with_name("plain_training.py")


def torchrun(processes, *arguments):
    """Runs plain_training.py under torchrun on this machine's CPUs."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(PROGRAM), *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_two_processes_end_with_the_weights_of_one(tmp_path):
    bag = tmp_path / "train"
    write_samples(bag, 5, seed=50)
    settings = {"steps": 5, "scans_per_step": 4, "evaluate_every": 3, "learning_rate": 0.01}
    config = write_config(tmp_path / "config.yaml", **settings)
    train(config, bag, tmp_path / "one")
    torchrun(2, config, bag, tmp_path / "two")
    files = {path.name for path in Path(tmp_path / "one").iterdir()}
    assert {path.name for path in Path(tmp_path / "two").iterdir()} == files
    one, two = (torch.load(tmp_path / run / "checkpoint.pt") for run in ("one", "two"))
    assert one["step"] == two["step"] == 5
    for name, value in one["model"].items():
        torch.testing.assert_close(two["model"][name], value, atol=1e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}")
    losses = [(tmp_path / run / "log.csv").read_text().splitlines() for run in ("one", "two")]
    assert len(losses[0]) == len(losses[1]) == 3


def test_passes_are_shared_out_in_order_and_evenly():
    assert [list(Distribution(rank, 3).share(6)) for rank in range(3)] == [[0, 1], [2, 3], [4, 5]]
    assert list(Distribution().share(5)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="5 passes of a step cannot be shared out among 2 processes"):
        Distribution(0, 2).share(5)
