"""Learning rates of parts of a network, and over the steps."""

import numpy as np
import pytest
import torch
from conftest import make_config, replace
from numbered_scans import make_scan

from ditr_train.config.model_config import Config
from ditr_train.engine.schedule import one_cycle, parameter_groups
from ditr_train.methods.segmentation import Training
from ditr_train.model.segmentor import Segmentor
from ditr_train.weights.pointcept import published_name


@pytest.fixture(params=["rotary", "convolution"])
def config(request) -> Config:
    return make_config(request.param)


def test_blocks_are_what_pointcept_calls_so(config):
    config = replace(config, injection=None)
    segmentor = Segmentor(config)
    layout = "LitePT-v1" if config.backbone.position_encoding == "rotary" else "PT-v3m1"
    groups = parameter_groups(segmentor, 0.05, 0.1)
    names = {id(parameter): name for name, parameter in segmentor.named_parameters()}
    found = {
        published_name(names.pop(id(parameter)), layout): (group["scale"], group["weight_decay"], parameter.ndim)
        for group in groups
        for parameter in group["params"]
    }
    assert not names  # each is in one group
    for name, (scale, decay, dimensions) in found.items():
        assert scale == (0.1 if "block" in name else 1.0), name  # re.compile("block").search(name) in optimizer.py
        assert decay == (0.05 if dimensions > 1 else 0.0), name
    assert {scale for scale, *_ in found.values()} == {0.1, 1.0}


def test_blocks_learn_more_slowly(config):
    settings = replace(config.training, steps=10, weight_decay=0.0, learning_rate=0.01, gradient_clip=0.0, warm_up=0.1)
    config = replace(config, injection=None, training=replace(settings, block_learning_rate_scale=0.1))
    training = Training(config, [make_scan(1, 60, images=False)], None)
    training.step = 1  # the top of the cycle
    before = {name: value.detach().clone() for name, value in training.network.named_parameters()}
    training.take_step(next(training._prefetched()))
    # The first step of AdamW is as long as the learning rate wherever there is a gradient.
    steps = {name: (value - before[name]).abs().max().item() for name, value in training.network.named_parameters()}
    for name, step in steps.items():
        assert step <= (0.00101 if ".blocks." in name else 0.0101), name
    for wanted, among in ((0.001, True), (0.01, False)):
        lengths = [step for name, step in steps.items() if (".blocks." in name) == among]
        assert np.median(lengths) == pytest.approx(wanted, rel=0.05)


def test_one_scale_leaves_the_groups_as_checkpoints_know_them(config):
    assert len(parameter_groups(Segmentor(config), 0.05, 1.0)) == 2


def test_the_rate_at_the_end_is_that_of_one_cycle_of_torch():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.006)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.006, total_steps=1000, pct_start=0.05, div_factor=10.0, final_div_factor=1000.0
    )
    theirs = []
    for _ in range(1000):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step() if len(theirs) < 1000 else None
    ours = [0.006 * one_cycle(1000, 0.05, 1e-4)(step) for step in range(1000)]
    # torch counts its phases from one step to the last, so that it is up to a step ahead.
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    assert one_cycle(1000, 0.05, 1e-4)(1000) == pytest.approx(1e-4) and theirs[-1] == pytest.approx(0.006e-4)


@pytest.mark.parametrize(("clip", "clipped"), [(1e-3, True), (0.0, False)])
def test_gradients_are_clipped_unless_that_is_switched_off(clip, clipped):
    config = make_config()
    config = replace(config, injection=None, training=replace(config.training, gradient_clip=clip))
    training = Training(config, [make_scan(1, 60, images=False)], None)
    training.take_step(next(training._prefetched()))
    norm = torch.stack([p.grad.norm() for p in training.network.parameters() if p.grad is not None]).norm()
    assert (norm <= 1.01e-3) == clipped
