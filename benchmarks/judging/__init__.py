"""The simulated fleet, the usual rules and ours: what `benchmarks/judges.py` compares."""

import os

# Before numpy is loaded: the runs are spread over the cores, the small matrices of one run are not.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
