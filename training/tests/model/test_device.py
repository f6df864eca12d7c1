"""The same numbers on every device, and in bfloat16 nearly the same."""

import json

import numpy as np
import pytest
import torch
from conftest import make_config, make_segmentor, replace
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.model_config import ConfigError
from ditr_train.data.loading import load_scans
from ditr_train.engine.run_folder import RunFolder
from ditr_train.evaluation.segmentation import predict
from ditr_train.methods.segmentation import Training
from ditr_train.model.device import choose_device, device_of

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("device")
    write_config(folder / "config.yaml")
    write_samples(folder / "bag", 3, seed=40)
    return folder


def training_on(folder, device, **settings):
    """A training whose network has seen one scan, and the gradients of a further one."""
    config = replace(make_config(), injection=None, image_encoder=None)
    config = replace(config, training=replace(config.training, **settings))
    scans = load_scans([folder / "bag"], config, None, progress=False)
    training = Training(config, scans, RunFolder(folder / "run"), device)
    sample = training.prepare(scans[0], np.random.default_rng(1))
    torch.manual_seed(2)
    loss = training.loss_of(sample)
    loss.backward()
    gradients = {name: p.grad.cpu() for name, p in training.segmentor.named_parameters()}
    return training, loss.item(), gradients, scans


def compare_gradients(found, expected, tolerance):
    for name, value in expected.items():
        assert found[name].dtype == torch.float32
        error = (found[name] - value).norm() / value.norm().clamp(min=1e-3)
        assert error < tolerance, f"{name}: {error}"


def test_bfloat16_is_close_in_loss_and_gradients(folder):
    _, loss, gradients, _ = training_on(folder, torch.device("cpu"))
    training, rounded_loss, rounded, _ = training_on(folder, torch.device("cpu"), autocast=True)
    assert 0 < abs(rounded_loss - loss) < 0.02 * loss
    head = "head.weight"
    assert 0 < (rounded[head] - gradients[head]).norm() < 0.1 * gradients[head].norm()
    assert all(parameter.dtype == torch.float32 for parameter in training.segmentor.parameters())


@needs_cuda
def test_cuda_gives_the_numbers_of_the_cpu(folder):
    cpu, loss, gradients, scans = training_on(folder, torch.device("cpu"))
    cuda, cuda_loss, cuda_gradients, _ = training_on(folder, choose_device("cuda"))
    assert device_of(cuda.segmentor).type == "cuda"
    assert cuda_loss == pytest.approx(loss, rel=1e-3)
    compare_gradients(cuda_gradients, gradients, 0.02)
    config = cpu.config
    same = [predict(t.segmentor, scans[1], config, fused=False) for t in (cpu, cuda)]
    assert (same[0] == same[1]).mean() > 0.99


def test_cuda_that_is_missing_is_named(folder, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError, match="no CUDA device"):
        choose_device("cuda")
    command = ["train", "config.yaml", "--image-free", "--bags", "bag", "-o", "nowhere", "--device", "cuda"]
    command = [str(folder / part) if "." in part else part for part in command]
    assert main(command) == 2
    assert capsys.readouterr().err.startswith("ditr-train: --device cuda: PyTorch finds no CUDA device")


def test_device_and_bfloat16_are_chosen_on_the_command_line(folder):
    common = ["--bags", folder / "bag", "--threads", "1", "--device", "cpu"]
    command = ["train", folder / "config.yaml", "--image-free", "--steps", "2", "--autocast", *common]
    assert main([str(part) for part in [*command, "-o", folder / "bfloat16"]]) == 0
    assert json.loads((folder / "bfloat16" / "config.json").read_text())["training"]["autocast"] is True
    evaluation = ["evaluate", folder / "bfloat16", *common, "--json", folder / "scores.json"]
    assert main([str(part) for part in evaluation]) == 0
    assert 0 <= json.loads((folder / "scores.json").read_text())["image_free"]["miou"] <= 1


def test_a_network_without_parameters_is_on_the_cpu():
    assert device_of(torch.nn.Identity()) == torch.device("cpu")
    assert device_of(make_segmentor(make_config())) == torch.device("cpu")
