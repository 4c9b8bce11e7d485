"""What the log remembers."""

from mmengine.logging import HistoryBuffer
from mmengine.runner import LogProcessor, Runner

from mmseg_css.registry import LOG_PROCESSORS


@LOG_PROCESSORS.register_module()
class ForgettingLogProcessor(LogProcessor):
    """MMEngine's, without the values that no window reaches back to any more.

    MMEngine keeps each logged scalar of each step, and copies all of them at each step: memory, checkpoints and the
    time of a step grow with the training. What was logged stays in the log files.
    """

    def get_log_after_iter(self, runner: Runner, batch_idx: int, mode: str) -> tuple[dict, str]:
        log = super().get_log_after_iter(runner, batch_idx, mode)
        whole = runner.iter + 1
        custom = self._parse_windows_size(runner, batch_idx, self.custom_cfg)
        reach = max(self.window_size, *(cfg.get("window_size", whole) for cfg in custom), 1)
        scalars = runner.message_hub.log_scalars
        for name, buffer in scalars.items():
            if name.startswith("train/"):
                scalars[name] = HistoryBuffer(*(values[-reach:] for values in buffer.data), buffer.max_length)
        return log
