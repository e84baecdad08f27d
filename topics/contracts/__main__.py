"""`python -m topics.contracts [--out DIR] [--namespace NAME]` writes the contracts."""

import argparse
import sys
from pathlib import Path

from topics.contracts.documents import write
from topics.registry import Topics


def main(arguments: list[str]) -> None:
    """Write all documents, remove those that are no longer generated, and name each."""
    parser = argparse.ArgumentParser(prog="python -m topics.contracts", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/contracts"), help="the folder to write")
    parser.add_argument("--namespace", default="", help="for names in a namespace of your own")
    parser.add_argument("--partitions", type=int, default=Topics().partitions, help="partitions per topic")
    told = parser.parse_args(arguments)
    for path in write(told.out, Topics(told.namespace, told.partitions)):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
