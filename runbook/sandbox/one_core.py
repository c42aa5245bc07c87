"""Imported before numpy: its libraries are to use one thread. A node is at home on one core, with others beside it."""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
