"""The picture of docs/balance.md, of what `mmseg-css balance` said of several networks.

python benchmarks/balance_figure.py docs/measured/camvid_1-16_balance.json docs/balance.png "labels alone" "Aided CSS"
"""

import argparse
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

#: What is drawn, and what it is called.
MEASURES = {"mIoU": "mIoU (%)", "aAcc": "pixels right (%)"}
#: Of Okabe and Ito, which colour-blind people can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("networks", nargs="+", help="names in that file")
    arguments = parser.parse_args()
    measured = json.loads(arguments.measured.read_text())["networks"]
    figure, axes = plt.subplots(1, len(MEASURES), figsize=(9, 3.4), layout="constrained")
    for name, colour in zip(arguments.networks, COLOURS, strict=False):
        tables = [network["strengths"] for network in measured if network["network"] == name]
        strengths = [float(strength) for strength in tables[0]]
        for axis, measure in zip(axes, MEASURES, strict=True):
            values = np.array([[row[measure] for row in table.values()] for table in tables])
            axis.plot(strengths, values.T, color=colour, linewidth=0.8, alpha=0.5)
            axis.plot(strengths, values.mean(axis=0), "o-", color=colour, label=f"{name}, mean of {len(tables)}")
    for axis, label in zip(axes, MEASURES.values(), strict=True):
        axis.set(xlabel="strength", ylabel=label)
        axis.grid(alpha=0.3)
    axes[0].legend(frameon=False)
    figure.savefig(arguments.out, dpi=120)


if __name__ == "__main__":
    main()
