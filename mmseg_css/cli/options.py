"""Options that several commands have, so that they are called and mean the same everywhere."""

from typing import Annotated, Literal

from cyclopts import Parameter

CfgOptions = Annotated[list[str] | None, Parameter(name="--cfg-options", consume_multiple=True)]
Seeds = Annotated[list[int] | None, Parameter(name="--seeds", consume_multiple=True)]
Launcher = Literal["none", "pytorch", "slurm", "mpi"]
LocalRank = Annotated[int, Parameter(name=["--local-rank", "--local_rank"], show=False)]
