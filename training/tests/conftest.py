"""Small models that the tests share."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from remembered_graphs import remembered_graphs

from ditr_train.config.backbone_config import BackboneConfig, DecoderConfig, EncoderConfig, InputFeature
from ditr_train.config.model_config import Config, ImageEncoderConfig, InjectionConfig, SemanticClass
from ditr_train.config.training_config import TrainingConfig
from ditr_train.model.segmentor import Segmentor

CONFIGS = Path(__file__).parent.parent / "configs"

torch.set_num_threads(1)


def make_config(position_encoding: str = "rotary", *, sampling: str = "nearest") -> Config:
    """A model with every kind of part: LitePT-like with rotary encoding, PTv3-like without; "residual" is MinkUNet."""
    if position_encoding == "residual":
        return make_residual_config(sampling=sampling)
    rotary = position_encoding == "rotary"
    backbone = BackboneConfig(
        grid_size=0.2,
        point_range=(-20.0, -20.0, -4.0, 20.0, 20.0, 4.0),
        input_features=tuple(InputFeature(name) for name in ("x", "y", "z", "intensity")),
        orders=("z", "z-trans", "hilbert", "hilbert-trans"),
        encoder=EncoderConfig(
            depths=(1, 2, 2),
            channels=(12, 24, 36),
            heads=(1, 2, 3),
            convolution=(True, True, False) if rotary else (True, True, True),
            attention=(False, True, True) if rotary else (True, True, True),
        ),
        decoder=DecoderConfig(channels=(12, 24))
        if rotary
        else DecoderConfig(
            channels=(12, 24), depths=(1, 1), heads=(2, 4), convolution=(True, True), attention=(True, True)
        ),
        patch_size=32,
        batch_norm_momentum=0.05,
        position_encoding="rotary" if rotary else "convolution",
        stem_kernel_size=3 if rotary else 5,
    )
    return Config(
        name="test",
        description="A model for tests",
        classes=tuple(SemanticClass(i, f"class-{i}", (i, 2 * i, 3 * i)) for i in range(1, 6)),
        backbone=backbone,
        training=TrainingConfig(steps=1, scans_per_step=1, learning_rate=1e-3),
        injection=InjectionConfig(feature_dimension=16, levels=(0, 1, 2)),
        image_encoder=ImageEncoderConfig(
            input_height=32,
            input_width=48,
            patch_size=16,
            feature_dimension=16,
            depth=1,
            heads=2,
            mean=(0.5, 0.5, 0.5),
            std=(0.25, 0.25, 0.25),
            sampling="bilinear" if sampling == "bilinear" else "nearest",
        ),
    )


def make_residual_config(*, sampling: str = "nearest") -> Config:
    """A small MinkUNet with injection."""
    config = make_config(sampling=sampling)
    backbone = BackboneConfig(
        grid_size=0.2,
        point_range=config.backbone.point_range,
        input_features=config.backbone.input_features,
        blocks="residual",
        encoder=EncoderConfig(depths=(0, 1, 2), channels=(8, 8, 16)),
        decoder=DecoderConfig(depths=(1, 2), channels=(12, 12)),
        batch_norm_momentum=0.05,
    )
    return replace(config, backbone=backbone)


def shallow(config: Config, stages: tuple[int, ...] = (0, 2)) -> Config:
    """The transformer of some of the stages, with one block in each: for tests that need an exported graph and not
    many blocks in it, since what an export takes grows with the operators."""
    backbone = config.backbone
    encoder, decoder = backbone.encoder, backbone.decoder
    shape = ("channels", "heads", "convolution", "attention")
    encoder = EncoderConfig(
        depths=(1,) * len(stages), **{name: tuple(getattr(encoder, name)[stage] for stage in stages) for name in shape}
    )
    count = len(stages) - 1
    decoder = replace(decoder, **{name: getattr(decoder, name)[:count] for name in (*shape, "depths")})
    injection = config.injection
    if injection is not None:
        injected = count if injection.place == "unpooling" else len(stages)
        injection = replace(injection, levels=tuple(level for level in injection.levels if level < injected))
    return replace(config, backbone=replace(backbone, encoder=encoder, decoder=decoder), injection=injection)


def make_segmentor(config: Config, seed: int = 0) -> Segmentor:
    """A network as after training: batch statistics and normalizations away from their initial 0 and 1."""
    torch.manual_seed(seed)
    segmentor = Segmentor(config).eval()
    with torch.no_grad():
        for name, value in segmentor.state_dict().items():
            if name.endswith(("norm.weight", "norm.bias", "running_mean")):
                value += 0.3 * torch.randn_like(value)
            if name.endswith("running_var"):
                value *= 0.5 + torch.rand_like(value)
    return segmentor


@pytest.fixture(params=["rotary", "convolution", "residual"])
def config(request: pytest.FixtureRequest) -> Config:
    return make_config(request.param)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


__all__ = [
    "CONFIGS",
    "make_config",
    "make_residual_config",
    "make_segmentor",
    "remembered_graphs",
    "replace",
    "shallow",
]
