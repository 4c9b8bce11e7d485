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
    watched = [(network, "extract_feat", network) for network in networks_of(model)]
    for network in networks_of(model):
        for head in heads_of(network):
            watched += [(head, entry, network) for entry in ("forward", "forward_embeddings") if hasattr(head, entry)]
    inside: list[str] = []
    for owner, entry, network in watched:
        setattr(owner, entry, _noting(owner, entry, network, calls, inside))
    try:
        yield calls
    finally:
        for owner, entry, _ in watched:
            delattr(owner, entry)


def _noting(
    owner: nn.Module, entry: str, network: EncoderDecoder, calls: list[Call], inside: list[str]
) -> Callable[..., Any]:
    """The entry of a network or a head, which notes that it is called; but not by another (`forward_embeddings`)."""
    call = getattr(owner, entry)

    def noting(given: Any, *arguments: Any, **options: Any) -> Any:
        if not inside and owner is network:
            calls.append(Call(network, given.shape, len(given), torch.is_grad_enabled()))
        elif not inside:
            calls.append(Call(network, None, len(given[0]), torch.is_grad_enabled(), owner, entry))
        inside.append(entry)
        try:
            return call(given, *arguments, **options)
        finally:
            inside.pop()

    return noting


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
