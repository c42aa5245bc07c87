"""`python switching_node.py FOLDER ARCHIVE`: fill a generation from the archive, serve it, go back, and drop it."""

import sys
from pathlib import Path

from runbook.sandbox.engine import Engine


def main() -> None:
    """Do all of it; whoever kills the process chooses where it ends."""
    engine = Engine(Path(sys.argv[1]))
    generation, _ = engine.holdings.fill([Path(sys.argv[2]).read_bytes()])
    engine.activate(generation, engine.store.sequence)
    engine.activate("g1", engine.store.sequence)
    engine.holdings.drop(generation)
    engine.close()


if __name__ == "__main__":
    main()
