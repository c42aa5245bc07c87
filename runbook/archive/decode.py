"""Archives for other tools: JSON lines in which embeddings are arrays of numbers."""

from collections.abc import Iterable, Iterator

import numpy as np
import orjson
import pybase64

from runbook.archive.kinds import Record


def decoded(batches: Iterable[list[Record]]) -> Iterator[bytes]:
    """A line for each record, with its end; each number has the fewest digits that give the same float32."""
    for batch in batches:
        for record in batch:
            fields = record.get("fields", record)
            if "embedding" in fields:
                numbers = np.frombuffer(pybase64.b64decode(fields["embedding"]), "<f4")
                found = {**fields, "embedding": numbers}
                plain = {**record, "fields": found} if fields is not record else found
            else:
                plain = record
            yield orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
