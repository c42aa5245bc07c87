"""`python switching_node.py FOLDER ARCHIVE STEP`: one step with the generations of the node in that folder."""

import sys
from pathlib import Path

from runbook.sandbox.engine import Engine


def main() -> None:
    """Do it; whoever kills the process chooses where it ends."""
    folder, archive, step = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    engine = Engine(folder)
    match step:
        case "fill":
            engine.holdings.fill([archive.read_bytes()])
        case "activate":
            engine.activate("g2", engine.store.sequence)
        case "return":
            engine.activate("g1", engine.store.sequence)
        case "drop":
            engine.holdings.drop("g2")
    engine.close()


if __name__ == "__main__":
    main()
