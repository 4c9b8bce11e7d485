"""Cross pseudo supervision: two students teach each other (CVPR 2021, arXiv 2106.01226)."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from mmseg_css.functional.labels import share_of
from mmseg_css.functional.pseudo_label import logit_pseudo_label
from mmseg_css.models.segmentors.base import SemiSegmentor
from mmseg_css.models.segmentors.batch import Images, joined, supervised_pass
from mmseg_css.models.segmentors.decoding import logits_of
from mmseg_css.models.segmentors.telling import Diagnostics, Inspection
from mmseg_css.registry import MODELS
from mmseg_css.types import View


@MODELS.register_module()
class CPS(SemiSegmentor):
    """Two networks of one architecture, initialised apart, each of which learns the other's labels.

    ``L = CE(p1, y) + CE(p2, y) + w [CE(p1, argmax p2) + CE(p2, argmax p1)]``. Without ``augmentation`` the second part
    is over all pixels of labelled and unlabelled images but what the data preprocessor pads; those without a ground
    truth count. With one (CutMix), both label the weak view in a pass of their own and learn from the strong view, of
    unlabelled images only.

    Args:
        segmentor: config of both networks. `student` is the one that predicts.
        pseudo_label_loss: config of a loss with a threshold of 0 and the weight w.
        kwargs: arguments of `SemiSegmentor`.
    """

    networks = ("student.", "peer.")
    labeller = "student"

    def __init__(self, *, segmentor: dict, pseudo_label_loss: dict, **kwargs: Any) -> None:
        super().__init__(segmentor=segmentor, **kwargs)
        self.peer = self.build_network(segmentor)
        self.pseudo_label_loss = MODELS.build(pseudo_label_loss)

    def init_weights(self) -> None:
        """Weights that ``init_cfg`` brings for the whole head leave the peer the head that it was built with."""
        built = deepcopy(self.peer.decode_head.state_dict())
        super().init_weights()
        heads = (network.decode_head.parameters() for network in (self.student, self.peer))
        if all(torch.equal(first, second) for first, second in zip(*heads, strict=True)):
            self.peer.decode_head.load_state_dict(built)

    def _adopt_plain_weights(self, state: dict[str, Any], prefix: str, *_: object) -> None:
        """A plain checkpoint's backbone goes to both, its head to the student: equal networks would teach nothing."""
        plain = any(name.startswith(f"{prefix}decode_head.") for name in state)
        super()._adopt_plain_weights(state, prefix)
        if plain:
            head = self.peer.decode_head.state_dict(prefix=f"{prefix}peer.decode_head.")
            state.update({name: value for name, value in head.items() if name in state})

    def losses(self, labeled: Images, unlabeled: Images, generator: torch.Generator) -> tuple[dict, dict]:
        networks = (self.student, self.peer)
        (supervised, first), (of_peer, second) = (supervised_pass(network, labeled) for network in networks)
        supervised |= {f"peer.{name}": value for name, value in of_peer.items()}
        if self.augmentation is None:
            everything = joined(labeled, unlabeled)
            said = [
                torch.cat([own, logits_of(network, unlabeled.images)])
                for own, network in zip((first, second), networks, strict=True)
            ]
            view = self.pseudo_labelled(everything, *said)
        else:
            with torch.no_grad():
                weak = [logits_of(network, unlabeled.images) for network in networks]
            view = self.augment(self.pseudo_labelled(unlabeled, *weak), generator, labeled)
            said = [logits_of(network, view.image) for network in networks]
        self.diagnostics = Diagnostics(view.image, view.labels[:, 1], said[0].detach())
        return supervised, {"loss_cross": self._cross(said, view), "agreement": agreement_of(view)}

    @torch.no_grad()
    def inspect(self, images: Tensor, size: tuple[int, int]) -> Inspection:
        said = super().inspect(images, size)
        peer = logit_pseudo_label(logits_of(self.peer, images), size, self.align_corners)
        return said._replace(sources=said.sources | {"peer": peer}, supervises="peer", contrasts="peer")

    def _cross(self, said: list[Tensor], view: View) -> Tensor:
        """Each network's loss with the other's labels."""
        own, peer = (self.at_image(of_network, view) for of_network in said)
        return self.pseudo_label_loss(own, view, self.ignore_index, source=1) + self.pseudo_label_loss(
            peer, view, self.ignore_index, source=0
        )


def agreement_of(view: View) -> Tensor:
    """Share of the valid pixels that both networks give one label."""
    return share_of(view.valid, view.labels[:, 0] == view.labels[:, 1])
