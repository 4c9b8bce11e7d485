"""The decoder of the CSS paper: DeepLabV3+ with plain convolutions."""

from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import ASPPHead
from mmseg.models.utils import resize
from torch import Tensor, nn

from mmseg_css.registry import MODELS


@MODELS.register_module()
class DeepLabV3PlusHead(ASPPHead):
    """ASPP on the deepest features, joined with projected stride-4 features, then 3x3 convolution and classifier.

    MMSeg's own DeepLabV3+ (`DepthwiseSeparableASPPHead`) has depthwise separable convolutions; the paper's are plain.
    The branches of a `ProjectionMixin` read the joined map (304 channels in the paper).

    Args:
        low_in_channels: channels of the stride-4 features (the first of the backbone's outputs).
        low_channels: channels these are projected to; 48 in the paper.
        refinements: further 3x3 convolutions before the classifier; UniMatch's decoder has 1.
        kwargs: arguments of `ASPPHead`; ``channels`` is the width of the ASPP and of the last convolution.
    """

    tap = "fuse"

    def __init__(self, *, low_in_channels: int, low_channels: int = 48, refinements: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        style = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        # The 1x1 projection of DeepLabV3; MMSeg's ASPPHead has a 3x3 one.
        self.bottleneck = ConvModule((len(self.dilations) + 1) * self.channels, self.channels, 1, **style)
        self.low_projection = ConvModule(low_in_channels, low_channels, 1, **style)
        self.fuse = ConvModule(self.channels + low_channels, self.channels, 3, padding=1, **style)
        self.refine = nn.Sequential(
            *(ConvModule(self.channels, self.channels, 3, padding=1, **style) for _ in range(refinements))
        )

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Logits at the stride of ``inputs[0]``."""
        low = self.low_projection(inputs[0])
        deep = resize(self._forward_feature(inputs), low.shape[2:], mode="bilinear", align_corners=self.align_corners)
        return self.cls_seg(self.refine(self.fuse(torch.cat([low, deep], dim=1))))
