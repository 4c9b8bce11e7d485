"""Whether an image goes through the network as a whole, or in windows."""

from dataclasses import dataclass
from typing import Literal, get_args

from mmengine.config import ConfigDict
from mmseg.models.segmentors import BaseSegmentor

from mmseg_css.datasets.windows import needs_windows, stride_of
from mmseg_css.models.choices import check_choice

Mode = Literal["auto", "whole", "slide"]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """MMSeg's ``test_cfg`` for images of each size.

    With ``auto`` an image whose height or width is more than twice that of the training crop goes in windows of that
    crop, which move by two thirds of it: of an image that much larger the network would see more at once than it has
    learnt with. Sizes are those after the test pipeline, which may resize. A config that says ``slide`` is followed.

    Attributes:
        mode: ``auto``, or what is done with every image.
        own: The ``test_cfg`` of the config.
        crop: Height and width of the training crop; None if the config does not say.

    Raises:
        ValueError: Windows are wanted, and the config does not say of what size.
    """

    mode: Mode
    own: ConfigDict
    crop: tuple[int, int] | None

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, get_args(Mode))
        if self.mode == "slide" and self.own.get("mode") != "slide" and self.crop is None:
            raise ValueError(
                "mode 'slide' needs the size of the windows, and the config has neither a training crop "
                "(model.data_preprocessor.size) nor test_cfg=dict(mode='slide', crop_size=..., stride=...): set one "
                "of them, or say 'whole'"
            )

    @classmethod
    def of(cls, model: BaseSegmentor, network: BaseSegmentor, mode: Mode) -> "Windows":
        """Those of a model, one of whose networks predicts."""
        size = getattr(model.data_preprocessor, "size", None)
        own = network.test_cfg or ConfigDict()
        return cls(
            mode=mode, own=ConfigDict({"mode": "whole", **own}), crop=None if size is None else (size[0], size[1])
        )

    def test_cfg(self, height: int, width: int) -> ConfigDict:
        """For an image of this size."""
        if self.mode == "whole":
            return ConfigDict({**self.own, "mode": "whole"})
        if self.own.mode == "slide" or self.crop is None:
            return self.own
        if self.mode == "auto" and not needs_windows((height, width), self.crop):
            return self.own
        return ConfigDict({**self.own, "mode": "slide", "crop_size": self.crop, "stride": stride_of(self.crop)})
