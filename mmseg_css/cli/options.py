"""Options that several commands have, so that they are called and mean the same everywhere."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter, Token
from cyclopts.validators import Number
from cyclopts.validators import Path as Exists

from mmseg_css.locations import find_config


def config_named(_: Any, tokens: Sequence[Token]) -> Path:
    """A path, or a config of the package by its name."""
    return find_config(tokens[0].value)


is_file = Exists(exists=True, dir_okay=False)
ConfigFile = Annotated[Path, Parameter(converter=config_named, validator=is_file)]
CfgOptions = Annotated[
    list[str] | None,
    Parameter(
        name="--cfg-options",
        consume_multiple=True,
        help="KEY=VALUE ...: settings of the config, e.g. train_cfg.max_iters=100 test_dataloader.num_workers=0.",
    ),
]
Seeds = Annotated[
    list[int] | None, Parameter(name="--seeds", consume_multiple=True, help="Seeds of the trainings, 0 otherwise.")
]
Jobs = Annotated[
    int,
    Parameter(validator=Number(gte=1), help="Trainings side by side; with more than one, each has one thread."),
]
Balance = Annotated[
    bool, Parameter(help="Also evaluate each training with its classes balanced, at several strengths.")
]
WorkDir = Annotated[
    str | None, Parameter(help="Where logs, checkpoints and metrics go; work_dirs/NAME_OF_THE_CONFIG otherwise.")
]
Launcher = Annotated[Literal["none", "pytorch", "slurm", "mpi"], Parameter(help="How several processes were started.")]
LocalRank = Annotated[int, Parameter(name=["--local-rank", "--local_rank"], show=False)]
TrustCheckpoint = Annotated[bool, Parameter(help="Load checkpoints even if they can run code.")]
PredictOn = Annotated[
    Literal["teacher", "student"] | None,
    Parameter(help="Which network of a method with a teacher; as the config says otherwise, else the teacher."),
]
Checkpoint = Annotated[str, Parameter(help="The checkpoint: a file or a URL.")]
Overwrite = Annotated[bool, Parameter(help="Replace what an earlier call wrote.")]


def class_names(text: str) -> list[str]:
    """Different names with commas between them."""
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise ValueError(f"expected different names with commas between them, got {text!r}")
    return names


def parsed(parse: Callable[[str], Any], text: str) -> Parameter:
    """An option of one word, which a function reads."""

    def convert(kind: Any, tokens: Sequence[Token]) -> Any:
        return parse(tokens[0].value)

    return Parameter(converter=convert, n_tokens=1, help=text)
