"""The teacher: an exponential moving average of the student, with an explicit mode."""

from copy import deepcopy
from typing import Any, Literal

import torch
from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from mmseg_css.functional.ema import ema_decay, ema_update_
from mmseg_css.models.choices import check_choice


class EMATeacher(nn.Module):
    """``teacher = decay * teacher + (1 - decay) * student`` after every optimiser step, parameters only.

    Args:
        student: the network to copy. The copy carries no gradient.
        decay: the largest decay; update t (from 0) uses ``min(1 - 1 / (t + 1), decay)``.
        mode: how its norm layers behave while the student trains. ``train``: batch statistics, as in CSS; ``eval``:
            running statistics. Everything else (dropout, stochastic depth, heads that return more in training) is
            always in eval mode. In evaluation all of it is, and ``model.train()`` never changes the choice.
        buffers: the norm layers' running statistics. ``own``: its own, moved by its own batches (CSS); ``copy``: the
            student's; ``average``: averaged like the parameters. Other modules move theirs in training mode alone
            (MMSeg's EMAHead), and so with ``own`` have the student's.
    """

    def __init__(
        self,
        student: nn.Module,
        *,
        decay: float = 0.99,
        mode: Literal["train", "eval"] = "train",
        buffers: Literal["own", "copy", "average"] = "own",
    ) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"teacher.decay must lie in [0, 1), got {decay}")
        check_choice("model.teacher.mode", mode, ("train", "eval"))
        check_choice("model.teacher.buffers", buffers, ("own", "copy", "average"))
        if mode == "eval" and buffers == "own":
            raise ValueError(
                "teacher.mode='eval' with teacher.buffers='own' would keep the statistics of the first step for ever: "
                "set buffers='copy' or 'average'"
            )
        self.decay = decay
        self.mode = mode
        self.buffer_policy = buffers
        self.step = 0
        self.model: EncoderDecoder = deepcopy(student).requires_grad_(False)
        self._of_others = [  # most networks have none
            f"{place}.{name}".removeprefix(".")
            for place, module in self.model.named_modules()
            if not isinstance(module, _NormBase)
            for name, _ in module.named_buffers(recurse=False)
        ]
        self.train(self.training)

    def train(self, mode: bool = True) -> "EMATeacher":
        self.training = mode
        batch_statistics = mode and self.mode == "train"
        # The network's own train() first, because backbones freeze norm layers there (`norm_eval`, `frozen_stages`).
        self.model.train(batch_statistics)
        for module in self.model.modules():
            if not isinstance(module, _NormBase):
                module.training = False
        return self

    @torch.no_grad()
    def reset(self, student: nn.Module) -> None:
        """Start again from the student's weights and statistics."""
        self.model.load_state_dict(student.state_dict())
        self.step = 0

    @torch.no_grad()
    def update(self, student: nn.Module) -> None:
        """One step of the average; call it after the optimiser's step."""
        decay = ema_decay(self.step, self.decay)
        self.step += 1
        ema_update_(list(self.model.parameters()), list(student.parameters()), decay)
        if self.buffer_policy == "own":
            for name in self._of_others:
                self.model.get_buffer(name).copy_(student.get_buffer(name))
            return
        pairs = list(zip(self.model.buffers(), student.buffers(), strict=True))
        averaged = [pair for pair in pairs if self.buffer_policy == "average" and pair[0].is_floating_point()]
        copied = [pair for pair in pairs if self.buffer_policy == "copy" or not pair[0].is_floating_point()]
        # One launch for all, as of the parameters; a network without norm layers has none.
        if averaged:
            targets, sources = map(list, zip(*averaged, strict=True))
            ema_update_(targets, sources, decay)
        if copied:
            targets, sources = map(list, zip(*copied, strict=True))
            torch._foreach_copy_(targets, sources)

    # The step count is a number, not a buffer: reading a tensor's value on a GPU would wait for the device. In a
    # checkpoint it is a tensor, because MMEngine broadcasts whatever a state dict holds to the other ranks.
    def get_extra_state(self) -> Tensor:
        return torch.tensor(self.step, device=next(self.model.parameters()).device)

    def set_extra_state(self, state: Tensor) -> None:
        self.step = int(state)


def begin_with_student(state: dict[str, Any], prefix: str) -> None:
    """Add the student's weights as the teacher's to a state dict of a method that has no teacher (FixMatch, say)."""
    if any(name.startswith(f"{prefix}teacher.") for name in state):
        return
    student = f"{prefix}student."
    weights = {name.removeprefix(student): value for name, value in state.items() if name.startswith(student)}
    state.update({f"{prefix}teacher.model.{name}": value for name, value in weights.items()})
