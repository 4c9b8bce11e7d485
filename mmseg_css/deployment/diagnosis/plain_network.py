"""A network without a method, looked at as one is: what would its pseudo-labels be worth?"""

from functools import partial
from typing import Final

from jaxtyping import Float
from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor, nn

from mmseg_css.functional.contrastive import confidence_indicator
from mmseg_css.functional.pseudo_label import logit_pseudo_label
from mmseg_css.models.segmentors import Inspection, Progress
from mmseg_css.models.segmentors.decoding import check_outputs, heads_of, logits_of


class LabelsAlone:
    """What `mmseg-css diagnose` asks of a method, of a network of MMSegmentation alone.

    What it says is called ``logit``, as that of a method's student.

    Args:
        student: The network.
        name: What trained it, as far as that is known.

    Raises:
        ValueError: The network has not one output for each class.
    """

    networks: Final = ("student.",)
    labels_apart: Final = True
    labeller: Final = "student"
    teacher: Final = None

    def __init__(self, student: EncoderDecoder, name: str = "Supervised-only") -> None:
        check_outputs(student, "model")
        self.name = name
        self.student = student
        self.progress = Progress()

    @property
    def data_preprocessor(self) -> nn.Module:
        return self.student.data_preprocessor

    @property
    def num_classes(self) -> int:
        return heads_of(self.student)[-1].num_classes

    @property
    def ignore_index(self) -> int:
        return heads_of(self.student)[-1].ignore_index

    def eval(self) -> None:
        self.student.eval()

    def inspect(self, images: Float[Tensor, "b c H W"], size: tuple[int, int]) -> Inspection:
        """What the network says of images, as pseudo-labels in this size."""
        logits = logits_of(self.student, images)
        source = logit_pseudo_label(logits, size, self.student.align_corners)
        return Inspection(
            {"logit": source}, None, "logit", logits, {"confidence": partial(confidence_indicator, logits)}
        )
