"""DITR: features of a frozen image encoder, added to the skip connections of the 3D network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ditr_train.config.model_config import InjectionConfig
from ditr_train.model.gather import gather_rows, max_over_children
from ditr_train.model.tables import ImageFeatures, ScanTables


class ImageInjection(nn.Module):
    """Unprojects patch features to voxels, max-pools them along the backbone's own pooling, and projects
    them to the channels of each level.

    A voxel that no camera sees gets exactly zero, at every level: without images the network is the
    image-free network, whatever the weights here.
    """

    def __init__(self, config: InjectionConfig, encoder_channels: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = config.levels
        size = config.feature_dimension
        self.norm = nn.ModuleDict(
            {
                str(level): nn.LayerNorm(size) if config.normalization == "layer" else nn.Identity()
                for level in config.levels
            }
        )
        self.proj = nn.ModuleDict({str(level): nn.Linear(size, encoder_channels[level]) for level in config.levels})

    def forward(self, images: ImageFeatures, tables: ScanTables) -> dict[int, Tensor]:
        """-> for each injected level s [V_s, channels of s], what is added to its skip connection."""
        features = (gather_rows(images.features, images.voxel_patch) * images.voxel_patch_weight[:, :, None]).sum(1)
        seen = (images.voxel_patch_weight.amax(1, keepdim=True) > 0).to(features.dtype)
        # Unseen voxels must not win the maximum against negative features of seen ones.
        lowest = torch.finfo(features.dtype).min
        features = torch.where(seen > 0, features, lowest)
        result = {}
        for level in range(max(self.levels) + 1):
            if level in self.levels:
                visible = torch.where(seen > 0, features, 0.0)
                result[level] = seen * self.proj[str(level)](self.norm[str(level)](visible))
            if level < max(self.levels):
                children = tables.stages[level].children
                assert children is not None
                features = max_over_children(features, children)
                seen = max_over_children(seen, children)
        return result
