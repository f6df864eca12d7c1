"""The work of a training is counted as torch counts it, and a duration is what its parts add up to."""

import pytest
import torch
import torch.nn.functional as F
from small_training import write_config
from synthetic_samples import write_samples
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ditr_train.cli import main
from ditr_train.config.model_config import load_config
from ditr_train.config.training_config import OptimizationConfig
from ditr_train.data.loading import load_scans
from ditr_train.engine.estimate import Accelerator, Measurement, Plan, Work, measure
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.work_counter import WorkCounter
from ditr_train.methods.segmentation import Training


def test_flops_are_those_of_torch():
    network = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.GELU(), torch.nn.Linear(7, 3))
    image = torch.nn.Conv2d(3, 4, 3)
    points, pixels = torch.randn(11, 5, requires_grad=True), torch.randn(1, 3, 8, 8)

    def run():
        (network(points).sum() + image(pixels).sum()).backward()

    with FlopCounterMode(display=False) as expected:
        run()
    with WorkCounter() as counted:
        run()
    assert counted.flops == expected.get_total_flops() > 0 and counted.operators > 10


def test_fused_attention_counts_as_its_two_products():
    def run():
        q, k, v = (torch.randn(2, 3, 16, 8, requires_grad=True) for _ in range(3))
        F.scaled_dot_product_attention(q, k, v).sum().backward()

    flops = {}
    for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH):
        with sdpa_kernel(backend), WorkCounter() as counted:
            run()
        flops[backend] = counted.flops
    forward = 2 * 2 * (2 * 3) * 16 * 16 * 8
    assert flops[SDPBackend.MATH] == 3 * forward
    # The fused one keeps no scores: its backward pass takes their product again.
    assert flops[SDPBackend.FLASH_ATTENTION] == 3.5 * forward


def test_a_duration_adds_up():
    settings = OptimizationConfig(
        steps=100, scans_per_step=8, learning_rate=1, scans_per_pass=2, evaluate_every=30, evaluate_scans=5
    )
    plan = Plan(settings, scans=40, validation=20)
    assert plan.passes == 4 and plan.evaluations == 4 and plan.evaluated == 4 * 5 + 20
    measured = Measurement(
        0.5,
        Work(preparation=1.0, flops=6e12, operators=100, encoder_flops=4e12),
        3.0,
        Work(0.1, 2e12, 100, 2e12),
        10**9,
    )
    here = plan.here(measured)
    assert (here.training, here.evaluation) == (100 * 4 * 0.5, 40 * 3.0)
    device = Accelerator("device", 1e12, 1e-3, processes=2, bytes_per_second=1e10)
    one = plan.on(device, 1, measured)
    assert (one.training, one.evaluation, one.encoding) == pytest.approx((100 * 4 * 6.0, 40 * 2.0, 60 * 2.0))
    mixed = Plan(settings, scans=40, validation=20, mix=1.0)
    assert mixed.on(device, 1, measured).encoding == pytest.approx(60 * 1.0)
    varied = Plan(settings, scans=40, validation=20, mix=1.0, varied=True)
    assert varied.on(device, 1, measured).encoding == pytest.approx(100 * 4 * 4.0 + 20 * 1.0)
    assert varied.on(device, 4, measured).encoding == pytest.approx(100 * 4.0 + 20 * 1.0)
    four = plan.on(device, 4, measured)
    assert four.training == pytest.approx(100 * (6.0 + 8e9 * 0.75 / 1e10)) and four.evaluation == one.evaluation
    slow = Accelerator("many operators", 1e12, 1.0, processes=2, bytes_per_second=1e10)
    assert plan.on(slow, 1, measured).training == pytest.approx(100 * 4 * 100)
    starved = Accelerator("few processes", 1e15, 1e-9, processes=2, bytes_per_second=1e10)
    assert plan.on(starved, 1, measured).training == pytest.approx(100 * 4 * 1.0 / 2)
    assert [plan.devices(most) for most in (1, 3, 4, 8)] == [1, 2, 4, 4]


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder, 3, seed=60)
    return folder


def test_what_is_measured_is_the_work_of_a_pass(samples, tmp_path):
    config = load_config(write_config(tmp_path / "config.yaml", scans_per_step=4))
    scans = load_scans([samples], config, None, progress=False)
    measured = measure(Training(config, scans, RunFolder(tmp_path)), scans, None, passes=2)
    assert measured.pass_seconds > 0 and measured.evaluation_seconds > 0 and measured.one_pass.preparation > 0
    # A backward pass is about two forward passes.
    forward = measured.evaluation.flops / 2  # evaluated with images and without
    assert 2.4 * forward < measured.one_pass.flops < 3.6 * forward
    assert measured.one_pass.encoder_flops == 0


@pytest.mark.parametrize("command", ["train", "distill"])
def test_an_estimate_writes_nothing(command, samples, tmp_path, capsys):
    config = write_config(tmp_path / "config.yaml")
    bags = ["--bags", str(samples), "--validation", str(samples), "--threads", "1"]
    encoder = [str(config), "--set", "encoder_training={steps: 1, images_per_step: 1, learning_rate: 0.1}"]
    assert main(["train-encoder", *encoder, *bags, "-o", str(tmp_path / "encoder")]) == 0
    capsys.readouterr()
    two = [each for part in ("training", "distillation") for each in ("--set", f"{part}.scans_per_step=2")]
    run = [str(config), *two, "--encoder", str(tmp_path / "encoder"), *bags, "-o", str(tmp_path / "run")]
    assert main([command, *run, "--estimate", "1"]) == 0
    assert not (tmp_path / "run").exists()
    printed = capsys.readouterr().out
    expected = ("20 steps of 2 passes of 1 of 3 scans", "3 evaluations of 3 scans on the way, of 3 at the end")
    assert all(words in printed for words in expected)
    lines = {line[:20].strip(): line[20:].split() for line in printed.splitlines()}
    assert all(len(lines[name]) == 8 for name in ("this machine", "one H100", "eight H100, 2 used"))
    assert "the 2 passes of a step (scans_per_step) cannot be shared out among eight" in printed
    assert "images: features kept (--features)" in printed
    varied = ["--set", "training.augmentation.image_flip=0.5", "--set", "training.augmentation.mix=0.5"]
    for features in ([], ["--features", str(tmp_path / "features")]):
        assert main([command, *run, *varied, *features, "--estimate", "1"]) == 0
        assert "images: encoded anew for each scan" in capsys.readouterr().out
    assert "assumed, not measured, of an H100: 15 TFLOP/s" in printed
