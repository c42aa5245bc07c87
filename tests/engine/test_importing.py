"""An import whose node, archive or journal fails in the middle: the served data never changes, nothing is guessed."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
import whole_data
from embedded_data import EmbeddedData
