"""Generate the demo data set: python tools/make_demo_data.py data/demo"""

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser

from mmseg_css.preparation.demo import generate


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("out", metavar="OUT", help="folder to write to; the data_root of the demo configs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=96, help="height and width of the images")
    parser.add_argument("--train", type=int, default=400, help="training images")
    parser.add_argument("--val", type=int, default=100, help="validation images")
    parser.add_argument("--labeled", type=int, nargs="+", default=[20, 40, 80], help="lengths of the labelled lists")
    arguments = parser.parse_args()
    generate(**vars(arguments))
    print(f"The demo data set is in {arguments.out}")


if __name__ == "__main__":
    main()
