"""What a training step asks of its networks: recorded in a step, and repeated without the method."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor, nn

from mmseg_css.models.segmentors.decoding import heads_of

Context = Callable[[], Any]


class Call(NamedTuple):
    """A pass of a backbone over images of this shape, or of a decode head over so many images' features."""

    network: EncoderDecoder
    images: torch.Size | None
    number: int
    learns: bool
    head: nn.Module | None = None
    entry: str = "forward"


def networks_of(model: nn.Module) -> list[EncoderDecoder]:
    """Student, teacher and whatever else is a network; the model itself if it is an ordinary segmentor."""
    return [module for module in model.modules() if isinstance(module, EncoderDecoder)]


@contextmanager
def recorded(model: nn.Module) -> Iterator[list[Call]]:
    """The passes of all networks meanwhile."""
    calls: list[Call] = []
    undo: list[tuple[nn.Module, str]] = []
    inside: list[str] = []

    def watch(owner: nn.Module, entry: str, describe: Callable[[Any], Call]) -> None:
        call = getattr(owner, entry)

        def watched(*arguments: Any, **options: Any) -> Any:
            if not inside:  # forward_embeddings calls forward
                calls.append(describe(arguments[0]))
            inside.append(entry)
            try:
                return call(*arguments, **options)
            finally:
                inside.pop()

        setattr(owner, entry, watched)
        undo.append((owner, entry))

    for network in networks_of(model):
        watch(
            network,
            "extract_feat",
            lambda images, network=network: Call(network, images.shape, len(images), torch.is_grad_enabled()),
        )
        for head in heads_of(network):
            for entry in {"forward", "forward_embeddings"} & set(dir(head)):
                watch(
                    head,
                    entry,
                    lambda features, network=network, head=head, entry=entry: Call(
                        network, None, len(features[0]), torch.is_grad_enabled(), head, entry
                    ),
                )
    try:
        yield calls
    finally:
        for owner, entry in undo:
            delattr(owner, entry)


def repeated(calls: list[Call], autocast: Context, device: torch.device) -> Callable[[], None]:
    """The same passes over random images, and one backward pass through all that learn.

    A head that saw features more than once in one batch (UniMatch's, plain and perturbed) is given them as often.
    """
    images = {call.images: torch.randn(call.images, device=device) for call in calls if call.images is not None}

    def passes() -> None:
        features: dict[int, list[Tensor]] = {}
        outputs: list[Tensor] = []
        for call in calls:
            with torch.set_grad_enabled(call.learns), autocast():
                if call.head is None:
                    features[id(call.network)] = call.network.extract_feat(images[call.images])
                    continue
                own = features[id(call.network)]
                times = call.number // len(own[0])
                own = own if times == 1 else [torch.cat([level] * times) for level in own]
                output = getattr(call.head, call.entry)(own)
                parts = [output] if isinstance(output, Tensor) else list(output)
                outputs += [part.float().mean() for part in parts if call.learns]
        torch.stack(outputs).sum().backward()
        for call in calls:
            call.network.zero_grad()

    return passes
