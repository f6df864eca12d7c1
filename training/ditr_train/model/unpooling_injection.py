"""DITR's injection as its authors released it: image features enter the sum that each unpooling makes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.config.model_config import InjectionConfig
from ditr_train.model.gather import gather_rows, max_over_children
from ditr_train.model.pooling import batch_norm
from ditr_train.model.tables import ImageFeatures, ScanTables


class UnpoolingInjection(nn.Module):
    """GELU(BN(Linear(image features))) in the decoder's channels, added where a stage is unpooled to.

    The structure of `SerializedUnpooling.proj_image_feat` in github.com/VisualComputingInstitute/ditr
    (pointcept/models/point_transformer_v3/point_transformer_v3m1_image.py, f66d1da). A voxel that no camera sees
    has features of zero, which take part in the maximum over the children like all others, and what is added to it
    is not zero: a constant that the network was trained with.
    """

    def __init__(self, config: InjectionConfig, decoder_channels: tuple[int, ...], momentum: float) -> None:
        super().__init__()
        self.levels = config.levels
        channels = {str(level): decoder_channels[level] for level in config.levels}
        self.proj = nn.ModuleDict({name: nn.Linear(config.feature_dimension, size) for name, size in channels.items()})
        self.norm = nn.ModuleDict({name: batch_norm(size, momentum) for name, size in channels.items()})

    def forward(self, images: ImageFeatures | None, tables: ScanTables) -> dict[int, Tensor]:
        """-> for each injected level s [V_s, decoder channels of s], or [1, ...] for all voxels without images."""
        if images is None:
            return {level: self._unseen(level) for level in self.levels}
        features = (gather_rows(images.features, images.voxel_patch) * images.voxel_patch_weight[:, :, None]).sum(1)
        result = {}
        for level in range(max(self.levels) + 1):
            if level in self.levels:
                result[level] = F.gelu(self.norm[str(level)](self.proj[str(level)](features)))
            if level < max(self.levels):
                children = tables.stages[level].children
                assert children is not None
                features = max_over_children(features, children)
        return result

    def _unseen(self, level: int) -> Tensor:
        """What a voxel gets whose features are zero."""
        proj, norm = self.proj[str(level)], self.norm[str(level)]
        assert isinstance(proj, nn.Linear) and isinstance(norm, nn.BatchNorm1d)
        assert norm.running_mean is not None and norm.running_var is not None
        # In training too with the running statistics: one row has no statistics of its own.
        row = F.batch_norm(
            proj.bias[None], norm.running_mean, norm.running_var, norm.weight, norm.bias, training=False, eps=norm.eps
        )
        return F.gelu(row)
