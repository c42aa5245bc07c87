"""`GET /metrics`: what is known of this tool, for Prometheus. A source that cannot tell is left out, and said once."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from runbook.errors import RunbookError
from runbook.model.served import ALL, Served
from runbook.serve.metrics.sample import Sample, Source

PATH = "/metrics"


class Exposition(Collector):
    """All sources, gathered at each scrape."""

    def __init__(self, sources: Sequence[Source], say: Callable[[str], None]) -> None:
        self._sources = sources
        self._say = say
        self._silent: dict[Source, str] = {}

    def collect(self) -> Iterator[Metric]:
        """Every metric that has a sample."""
        samples = [each for source in self._sources for each in self._of(source)]
        for served in ALL:
            found = [each for each in samples if each.name == served.name]
            if found:
                yield _family(served, found)

    def _of(self, source: Source) -> list[Sample]:
        """Its samples, all or none; why there are none is said once, not at each scrape."""
        why = ""
        try:
            return list(source())
        except RunbookError as error:
            why = error.message
        except Exception as error:  # noqa: BLE001 - no fault of one source takes the others down
            why = f"{type(error).__name__}: {error}"
        finally:
            if why and self._silent.get(source) != why:
                self._say(f"some metrics cannot be told: {why}")
            self._silent[source] = why
        return []


def routes(exposition: Exposition) -> list[BaseRoute]:
    """The one route."""
    registry = CollectorRegistry()
    registry.register(exposition)
    one_at_a_time = asyncio.Lock()

    async def metrics(_: Request) -> Response:
        async with one_at_a_time:  # who asks twice at once waits, and is told what is true then
            text = await asyncio.to_thread(generate_latest, registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route(PATH, metrics)]


def _family(served: Served, samples: Sequence[Sample]) -> Metric:
    kind = CounterMetricFamily if served.counts else GaugeMetricFamily
    family = kind(served.full_name, served.says, labels=served.labels)
    for each in samples:
        family.add_metric([_text(label) for label in each.labels], each.value)
    return family


def _text(label: str) -> str:
    return label.encode("utf-8", "replace").decode()
