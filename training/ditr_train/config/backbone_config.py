"""The 3D network of a configuration: its stages, and what it reads of a cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ditr_train.config.conversion import require

SerializationOrder = Literal["z", "z-trans", "hilbert", "hilbert-trans"]
PositionEncoding = Literal["convolution", "rotary"]


@dataclass(frozen=True)
class InputFeature:
    """One column of `feat`: `(value - offset) * scale` of a field of the cloud."""

    name: str
    """Field of the cloud: x, y, z (metres), intensity, ..."""
    offset: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class EncoderConfig:
    """The encoder, one entry per stage. Stage s works on voxels of edge `grid_size * 2**s`."""

    depths: tuple[int, ...]
    """Blocks of the stage."""
    channels: tuple[int, ...]
    heads: tuple[int, ...] = ()
    """Attention heads; not used in stages without attention."""
    convolution: tuple[bool, ...] = ()
    """Do the blocks have a submanifold convolution?"""
    attention: tuple[bool, ...] = ()
    """Do the blocks have serialized attention and an MLP? These three are left out where blocks are residual."""


@dataclass(frozen=True)
class DecoderConfig:
    """The decoder, one entry per stage but the last, finest stage first."""

    channels: tuple[int, ...]
    depths: tuple[int, ...] = ()
    """Blocks of the stage; none in a decoder that only unpools (LitePT-S)."""
    heads: tuple[int, ...] = ()
    convolution: tuple[bool, ...] = ()
    attention: tuple[bool, ...] = ()
    first_convolution: Literal["sum", "skip"] = "sum"
    """What the first convolution of a stage reads: the sum of the skip connection and the coarse features, or the
    skip connection alone, as in Pointcept's PT-v3m1; the block adds its result to the sum in both cases."""


@dataclass(frozen=True)
class BackboneConfig:
    """PTv3, LitePT, or what lies between: which stages convolve, which attend, how positions are encoded. Or MinkUNet,
    which only convolves."""

    grid_size: float
    """Edge of a voxel of stage 0 in metres."""
    point_range: tuple[float, float, float, float, float, float]
    """x, y, z minimum then maximum in metres, in the cloud's frame; minimum inclusive."""
    input_features: tuple[InputFeature, ...]
    encoder: EncoderConfig
    decoder: DecoderConfig
    blocks: Literal["transformer", "residual"] = "transformer"
    """"residual" is MinkUNet (Choy et al., 4D Spatio-Temporal ConvNets, 2019) as Pointcept's SpUNet has it: blocks of
    two 3x3x3 convolutions, ReLU, stages joined by strided and transposed 2x2x2 convolutions, skip connections
    concatenated. The settings of attention, `drop_path` and `mlp_ratio` then mean nothing."""
    orders: tuple[SerializationOrder, ...] = ("z", "z-trans", "hilbert", "hilbert-trans")
    patch_size: int = 1024
    """Voxels per attention patch."""
    position_encoding: PositionEncoding = "convolution"
    """Where attention finds positions: in the convolution of its block (PTv3) or by rotation (LitePT)."""
    later_convolutions: Literal["sum", "mlp"] = "sum"
    """What the convolution of a block reads that is not the first of its stage: what the block before made, or, as in
    Pointcept up to v1.5.1, for which the published weights of PTv3 were trained, what its MLP added to that."""
    stem_kernel_size: Literal[3, 5] = 5
    clamp: bool = False
    """Are points outside the range moved to its faces (Pointcept's PointClip), also as input features, and not left
    out?"""
    mlp_ratio: float = 4.0
    drop_path: float = 0.3
    rotary_base: float = 100.0
    batch_norm_momentum: float = 0.01
    """Weight of each step in the running averages that a trained network normalizes with: small for long
    trainings, larger for short ones."""

    @property
    def stage_count(self) -> int:
        return len(self.encoder.depths)

    def stage_convolves(self, stage: int) -> bool:
        """Is there a block with a convolution at this stage, in the encoder or the decoder?"""
        return self._has(self.encoder, self.encoder.convolution, stage) or self._has(
            self.decoder, self.decoder.convolution, stage
        )

    def stage_attends(self, stage: int) -> bool:
        return self._has(self.encoder, self.encoder.attention, stage) or self._has(
            self.decoder, self.decoder.attention, stage
        )

    @staticmethod
    def _has(part: EncoderConfig | DecoderConfig, flags: tuple[bool, ...], stage: int) -> bool:
        return stage < len(part.depths) and part.depths[stage] > 0 and flags[stage]

    def _take_flags_of_residual_blocks(self) -> None:
        """Says of each stage that it convolves and does not attend."""
        require(
            len(self.decoder.depths) > 0 and min(self.decoder.depths) > 0,
            f"decoder.depths: {list(self.decoder.depths)} are not all above 0, which residual blocks need: the first "
            "of a stage takes in the skip connection",
        )
        for name in ("encoder", "decoder"):
            part: EncoderConfig | DecoderConfig = getattr(self, name)
            for key, flag in (("heads", 1), ("convolution", True), ("attention", False)):
                given, flags = getattr(part, key), (flag,) * len(part.depths)
                require(given in ((), flags), f"{name}.{key}: {list(given)} goes without saying with residual blocks")
                object.__setattr__(part, key, flags)

    def __post_init__(self) -> None:
        if self.blocks == "residual":
            self._take_flags_of_residual_blocks()
        encoder, decoder, stages = self.encoder, self.decoder, len(self.encoder.depths)
        require(stages >= 2, f"encoder.depths: {stages} stage(s), at least 2 are needed")
        for name in ("channels", "heads", "convolution", "attention"):
            length = len(getattr(encoder, name))
            require(length == stages, f"encoder.{name}: {length} entries for {stages} stages")
        require(
            len(decoder.channels) == stages - 1,
            f"decoder.channels: {len(decoder.channels)} entries, {stages - 1} are needed",
        )
        if decoder.depths:
            for name in ("depths", "heads", "convolution", "attention"):
                length = len(getattr(decoder, name))
                require(length == stages - 1, f"decoder.{name}: {length} entries, {stages - 1} are needed")
        require(self.stem_kernel_size in (3, 5), f"stem_kernel_size: {self.stem_kernel_size} is not 3 or 5")
        require(self.grid_size > 0, f"grid_size: {self.grid_size} is not above 0")
        low, high = self.point_range[:3], self.point_range[3:]
        require(
            all(a < b for a, b in zip(low, high, strict=True)),
            f"point_range: {self.point_range} is not minimum x, y, z then maximum x, y, z",
        )
        require(len(self.input_features) > 0, "input_features: at least one is needed")
        require(len(self.orders) > 0, "orders: at least one is needed")
        for part, name in ((encoder, "encoder"), (decoder, "decoder")):
            for stage, depth in enumerate(part.depths):
                require(
                    depth < 2 or part.attention[stage] or self.later_convolutions == "sum",
                    f"later_convolutions: mlp needs attention and MLPs, which {name} stage {stage} has not",
                )
                if depth == 0 or not part.attention[stage]:
                    continue
                channels, heads = part.channels[stage], part.heads[stage]
                require(
                    channels % heads == 0,
                    f"{name}: {channels} channels do not divide into {heads} heads at stage {stage}",
                )
                if self.position_encoding == "rotary":
                    require(
                        channels // heads % 6 == 0,
                        f"{name}: rotary encoding needs heads of a multiple of 6 channels, "
                        f"not {channels // heads} at stage {stage}",
                    )
                else:
                    require(
                        part.convolution[stage],
                        f"{name}: position_encoding convolution needs one where there is attention, "
                        f"stage {stage} has none",
                    )
