"""One U-Net over a scan's voxels that is PTv3, LitePT or MinkUNet by configuration."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ditr_train.config.backbone_config import BackboneConfig, DecoderConfig, EncoderConfig
from ditr_train.config.model_config import InjectionConfig
from ditr_train.model.block import Block, drop_path_rates
from ditr_train.model.injection import ImageInjection
from ditr_train.model.neighbor_table import NeighborTable
from ditr_train.model.pooling import (
    ConvolutionPooling,
    ConvolutionUnpooling,
    SerializedPooling,
    SerializedUnpooling,
    batch_norm,
)
from ditr_train.model.recomputation import RecomputableStage
from ditr_train.model.residual_block import ResidualStage
from ditr_train.model.rotary import rotary_angles
from ditr_train.model.submanifold_convolution import SubmanifoldConvolution
from ditr_train.model.tables import ImageFeatures, ScanTables, StageTables
from ditr_train.model.unpooling_injection import UnpoolingInjection


class Stem(nn.Module):
    """Submanifold convolution of the input features, batch normalization, GELU, in MinkUNet ReLU."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        channels = config.encoder.channels[0]
        self.convolution = SubmanifoldConvolution(
            len(config.input_features), channels, config.stem_kernel_size**3, bias=False
        )
        self.norm = batch_norm(channels, config.batch_norm_momentum)
        self.act = nn.GELU() if config.blocks == "transformer" else nn.ReLU()

    def forward(self, x: Tensor, neighbors: NeighborTable) -> Tensor:
        y: Tensor = self.act(self.norm(self.convolution(x, neighbors)))
        return y


class Stage(RecomputableStage):
    """Blocks at one resolution; block i follows order i modulo the number of orders."""

    def __init__(
        self, config: BackboneConfig, part: EncoderConfig | DecoderConfig, stage: int, rates: list[float]
    ) -> None:
        super().__init__()
        attention = part.attention[stage]
        self.rotary_base = config.rotary_base if attention and config.position_encoding == "rotary" else None
        self.head_channels = part.channels[stage] // part.heads[stage] if attention else 0
        self.convolve_added = config.later_convolutions == "mlp"
        self.blocks = nn.ModuleList(
            Block(
                part.channels[stage],
                part.heads[stage],
                convolution=part.convolution[stage],
                attention=attention,
                order_index=i % len(config.orders),
                mlp_ratio=config.mlp_ratio,
                drop_path=rate,
            )
            for i, rate in enumerate(rates)
        )

    def forward(self, x: Tensor, tables: StageTables, convolved: Tensor | None = None) -> Tensor:
        """x [V, C] -> [V, C]; convolved is what the first block's convolution reads if that is not x."""
        rotation = None
        if self.rotary_base is not None:
            assert tables.coordinates is not None
            rotation = rotary_angles(tables.coordinates, self.head_channels, self.rotary_base)
        for block in self.blocks:
            x, added = self.run(block, x, tables, rotation, convolved)
            convolved = added if self.convolve_added else None
        return x


def _encoder_stages(config: BackboneConfig) -> list[nn.Module]:
    encoder = config.encoder
    if config.blocks == "residual":
        return [
            ResidualStage(channels, channels, depth, config.batch_norm_momentum)
            for channels, depth in zip(encoder.channels, encoder.depths, strict=True)
        ]
    rates = drop_path_rates(encoder.depths, config.drop_path)
    return [Stage(config, encoder, s, rates[s]) for s in range(config.stage_count)]


def _poolings(config: BackboneConfig) -> list[nn.Module]:
    kind = SerializedPooling if config.blocks == "transformer" else ConvolutionPooling
    return [kind(fine, coarse, config.batch_norm_momentum) for fine, coarse in pairwise(config.encoder.channels)]


def _unpoolings(config: BackboneConfig) -> list[nn.Module]:
    encoder, decoder, momentum = config.encoder, config.decoder, config.batch_norm_momentum
    coarse_channels = (*decoder.channels[1:], encoder.channels[-1])
    if config.blocks == "residual":
        return [
            ConvolutionUnpooling(coarse, channels, momentum)
            for coarse, channels in zip(coarse_channels, decoder.channels, strict=True)
        ]
    return [
        SerializedUnpooling(coarse_channels[s], encoder.channels[s], channels, momentum)
        for s, channels in enumerate(decoder.channels)
    ]


def _decoder_stages(config: BackboneConfig) -> list[nn.Module]:
    encoder, decoder = config.encoder, config.decoder
    if config.blocks == "residual":
        return [
            ResidualStage(channels + encoder.channels[s], channels, decoder.depths[s], config.batch_norm_momentum)
            for s, channels in enumerate(decoder.channels)
        ]
    # Drop path falls towards the output, as in Pointcept.
    rates = [rates[::-1] for rates in drop_path_rates(decoder.depths, config.drop_path)]
    return [
        Stage(config, decoder, s, rates[s]) if decoder.depths and decoder.depths[s] > 0 else nn.Identity()
        for s in range(config.stage_count - 1)
    ]


class Backbone(nn.Module):
    """Stem, encoder, injection of image features into the skip connections, decoder."""

    def __init__(self, config: BackboneConfig, injection: InjectionConfig | None = None) -> None:
        super().__init__()
        self.stem_kernel_size = config.stem_kernel_size
        self.stem = Stem(config)
        self.encoder = nn.ModuleList(_encoder_stages(config))
        self.pooling = nn.ModuleList(_poolings(config))
        self.injection: ImageInjection | UnpoolingInjection | None = None
        if injection is not None and injection.place == "skip":
            self.injection = ImageInjection(injection, config.encoder.channels)
        elif injection is not None:
            self.injection = UnpoolingInjection(injection, config.decoder.channels, config.batch_norm_momentum)
        self.unpooling = nn.ModuleList(_unpoolings(config))
        self.decoder = nn.ModuleList(_decoder_stages(config))
        self.first_convolution = config.decoder.first_convolution
        self.out_channels = config.decoder.channels[0]

    def forward(self, feat: Tensor, tables: ScanTables, images: ImageFeatures | None = None) -> Tensor:
        """feat [V_0, F] -> [V_0, out_channels]; without images no voxel is seen."""
        return self.decode(self.encode(feat, tables, images), tables, images)

    def encode(self, feat: Tensor, tables: ScanTables, images: ImageFeatures | None = None) -> list[Tensor]:
        """feat [V_0, F] -> [V_s, C_s] of each stage s, with what the injection adds to it."""
        stem_neighbors = tables.stem_neighbors if self.stem_kernel_size == 5 else tables.stages[0].neighbors
        x = self.stem(feat, stem_neighbors)
        skips = []
        for s, stage in enumerate(self.encoder):
            if s > 0:
                x = self.pooling[s - 1](x, tables.stages[s - 1].children)
            x = stage(x, tables.stages[s])
            skips.append(x)
        if images is not None and isinstance(self.injection, ImageInjection):
            for level, addition in self.injection(images, tables).items():
                skips[level] = skips[level] + addition
        return skips

    def decode(self, skips: list[Tensor], tables: ScanTables, images: ImageFeatures | None = None) -> Tensor:
        """What `encode` gave -> [V_0, out_channels]."""
        unpooled = self.injection(images, tables) if isinstance(self.injection, UnpoolingInjection) else {}
        x = skips[-1]
        for s in reversed(range(len(skips) - 1)):
            x, skip = self.unpooling[s](x, skips[s], tables.stages[s])
            if s in unpooled:
                x = x + unpooled[s]
            stage = self.decoder[s]
            if isinstance(stage, Stage):
                x = stage(x, tables.stages[s], skip if self.first_convolution == "skip" else None)
            elif isinstance(stage, ResidualStage):
                x = stage(x, tables.stages[s])
        return x
