"""The projection branch: a second output of a decode head, an embedding of every pixel."""

from typing import TYPE_CHECKING, Any

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmseg_css.registry import MODELS
from mmseg_css.types import SegOutput

if TYPE_CHECKING:
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead as DecodeHead
else:
    DecodeHead = object  # a mixin: the head it is mixed into is the other base


@MODELS.register_module()
class ProjectionBranch(BaseModule):
    """3x3 convolution, norm, ReLU, 1x1 convolution to ``channels`` (the embedding's size d), as in CSS.

    Args:
        in_channels: channels of the map that the branch reads; a head with `ProjectionMixin` fills it in.
        channels: size d of the embedding.
        hidden: channels between the two convolutions.
        norm_cfg: MMSeg's norm config; a head with `ProjectionMixin` passes its own on.
    """

    def __init__(
        self, *, in_channels: int, channels: int = 256, hidden: int = 256, norm_cfg: dict | None = None
    ) -> None:
        super().__init__()
        self.channels = channels
        self.layers = nn.Sequential(
            ConvModule(in_channels, hidden, 3, padding=1, norm_cfg=norm_cfg), nn.Conv2d(hidden, channels, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)


@MODELS.register_module()
class LinearProjection(BaseModule):
    """A linear layer, with a bias, on every pixel, to ``channels`` (the embedding's size d), as in PC2Seg.

    Args:
        in_channels: channels of the map that the branch reads; a head with `ProjectionMixin` fills it in.
        channels: size d of the embedding.
        norm_cfg: for a head with `ProjectionMixin`, which passes its own on; a linear map has no norm.
    """

    def __init__(self, *, in_channels: int, channels: int = 128, norm_cfg: dict | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.linear = nn.Conv2d(in_channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear(features)


class ProjectionMixin(DecodeHead):
    """Give any MMSeg decode head a projection branch: ``class MyProjectionHead(ProjectionMixin, MyHead): ...``.

    ``forward`` keeps MMSeg's contract (logits), so prediction and every MMSeg tool work, and the branch costs nothing
    there. Parameter names of the head stay what they are, so a checkpoint of the plain head fits.

    Args:
        projection: config of the branch, for example ``dict(type='ProjectionBranch', channels=256)``.
        tap: the submodule whose *input* the branch reads, too; by default what the head's class says.
        kwargs: arguments of the head.
    """

    #: Every MMSeg head calls its classifier ``conv_seg``.
    tap = "conv_seg"

    def __init__(self, *, projection: dict, tap: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tap = tap or self.tap
        try:
            in_channels = self.get_submodule(self.tap).in_channels
        except AttributeError:
            raise TypeError(
                f"{type(self).__name__} has no convolution {self.tap!r}, whose input the projection branch would read: "
                "name one of this head in decode_head.tap, or take another head, UPerProjectionHead say"
            ) from None
        self.projection = MODELS.build({"in_channels": in_channels, "norm_cfg": self.norm_cfg, **projection})

    def forward_embeddings(self, features: list[Tensor]) -> SegOutput:
        """Logits and embeddings from the backbone's features, in one pass of the head.

        Both in float32 also under autocast: thresholds like 0.97 and cosines need more than the 8 bits of bfloat16.
        """
        read: list[Tensor] = []
        tapped = self.get_submodule(self.tap)
        handle = tapped.register_forward_pre_hook(lambda module, args: read.append(args[0]))
        try:
            logits = self(features)
        finally:
            handle.remove()
        if not read:
            raise TypeError(
                f"the forward pass of {type(self).__name__} never comes by its {self.tap!r}, whose input the "
                "projection branch would read: name a convolution that it does come by in decode_head.tap"
            )
        return SegOutput(logits.float(), self.projection(read[0]).float())


def check_projection(head: nn.Module) -> None:
    """Check that a decode head has what a contrast needs.

    Raises:
        TypeError: It has no projection branch.
    """
    if not isinstance(head, ProjectionMixin):
        name = type(head).__name__
        raise TypeError(
            f"model.segmentor.decode_head is a {name}, which has no projection branch. Use one that has (for "
            "example DeepLabV3PlusProjectionHead), or register "
            f"`class MyProjectionHead(ProjectionMixin, {name}): ...`"
        )
