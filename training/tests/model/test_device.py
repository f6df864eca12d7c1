"""The same numbers on every device, and in bfloat16 nearly the same."""

import json
from functools import partial

import numpy as np
import pytest
import torch
import yaml
from conftest import make_config, make_segmentor, replace, shallow
from interruption import killed_at
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.model_config import ConfigError, config_to_document, load_config
from ditr_train.data.loading import load_scans
from ditr_train.data.remembered_encoder import encoder_digest
from ditr_train.encoders.half_precision_encoder import HalfPrecisionEncoder, placed
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.engine.run_folder import RunFolder
from ditr_train.evaluation.segmentation import predict
from ditr_train.methods.segmentation import Training
from ditr_train.model.device import choose_device, device_of

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("device")
    write_config(folder / "config.yaml", shallow(make_config()))
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
    training, rounded_loss, rounded, _ = training_on(folder, torch.device("cpu"), precision="bfloat16")
    assert 0 < abs(rounded_loss - loss) < 0.02 * loss
    head = "head.weight"
    assert 0 < (rounded[head] - gradients[head]).norm() < 0.1 * gradients[head].norm()
    assert all(parameter.dtype == torch.float32 for parameter in training.segmentor.parameters())


def test_float16_is_close_in_loss_and_gradients(folder):
    _, loss, gradients, scans = training_on(folder, torch.device("cpu"))
    training, rounded_loss, _, _ = training_on(folder, torch.device("cpu"), precision="float16")
    assert 0 < abs(rounded_loss - loss) < 0.005 * loss
    training.network.zero_grad()
    torch.manual_seed(2)
    training.scaler.scale(training.loss_of(training.prepare(scans[0], np.random.default_rng(1)))).backward()
    training.scaler.unscale_(training.optimizer)
    rounded = {name: p.grad for name, p in training.segmentor.named_parameters()}
    assert 0 < (rounded["head.weight"] - gradients["head.weight"]).norm() < 0.01 * gradients["head.weight"].norm()
    assert all(values.dtype == torch.float32 and values.isfinite().all() for values in rounded.values())


def test_a_step_whose_gradients_overflow_is_left_out(folder):
    training, *_ = training_on(folder, torch.device("cpu"), precision="float16", steps=20)
    training.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40)
    before = [p.detach().clone() for p in training.network.parameters()]
    training.take_step(training.samples_of(0))
    assert training.step == 1 and training.scaler.get_scale() == 2.0**39
    assert all(torch.equal(p, old) for p, old in zip(training.network.parameters(), before, strict=True))
    while training.scaler.get_scale() > 2.0**12:
        training.scaler.update(2.0**12)
    training.take_step(training.samples_of(1))
    assert any(not torch.equal(p, old) for p, old in zip(training.network.parameters(), before, strict=True))


def test_an_interrupted_float16_training_goes_on_with_the_scale_of_its_loss(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.amp, "GradScaler", partial(torch.amp.GradScaler, init_scale=2.0**40, growth_interval=2))
    common = ["--bags", str(folder / "bag"), "--threads", "1", "--device", "cpu", "--precision", "float16"]
    command = ["train", str(folder / "config.yaml"), "--image-free", "--set", "training.evaluate_every=4", *common]
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    assert main([*command, "-o", whole]) == 0
    with killed_at(10):
        main([*command, "-o", parts])
    assert main([*command, "-o", parts, "--resume"]) == 0
    one, other = (RunFolder(tmp_path / name).load("checkpoint.pt") for name in ("whole", "parts"))
    assert one["scaler"] == other["scaler"] and one["scaler"]["scale"] not in (1.0, 2.0**40)
    torch.testing.assert_close(other, one, atol=0, rtol=0)


def test_autocast_of_earlier_configurations_is_bfloat16(folder, tmp_path):
    document = yaml.safe_load((folder / "config.yaml").read_text())
    for former, precision in ((True, "bfloat16"), (False, "float32")):
        del document["training"]["precision"]
        document["training"]["autocast"] = former
        (tmp_path / "former.yaml").write_text(yaml.safe_dump(document))
        config = load_config(tmp_path / "former.yaml")
        assert config.training.precision == precision
        document = yaml.safe_load(yaml.safe_dump(json.loads(json.dumps(config_to_document(config)))))


def test_an_encoder_in_half_precision_gives_nearly_the_same_features():
    encoder = ImageEncoder(make_config().image_encoder).eval()
    image = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        expected, found = encoder(image), HalfPrecisionEncoder(encoder)(image)
    assert found.dtype == torch.float32
    assert 0 < (found - expected).norm() < 0.005 * expected.norm()
    assert encoder_digest(HalfPrecisionEncoder(encoder)) != encoder_digest(encoder)
    assert placed(encoder, torch.device("cpu")) is encoder


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
    command = ["train", folder / "config.yaml", "--image-free", "--steps", "2", "--precision", "bfloat16", *common]
    assert main([str(part) for part in [*command, "-o", folder / "bfloat16"]]) == 0
    assert json.loads((folder / "bfloat16" / "config.json").read_text())["training"]["precision"] == "bfloat16"
    evaluation = ["evaluate", folder / "bfloat16", *common, "--json", folder / "scores.json"]
    assert main([str(part) for part in evaluation]) == 0
    assert 0 <= json.loads((folder / "scores.json").read_text())["image_free"]["miou"] <= 1


def test_a_network_without_parameters_is_on_the_cpu():
    assert device_of(torch.nn.Identity()) == torch.device("cpu")
    assert device_of(make_segmentor(make_config())) == torch.device("cpu")
