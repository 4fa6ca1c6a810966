"""What an OpenTelemetry SDK in memory was told since the test began."""

from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

ON = {"on": True}


@dataclass(frozen=True, slots=True)
class Told:
    """What was told: spans in the order they ended, and the points of each metric."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    @property
    def spans(self) -> list[ReadableSpan]:
        """Every span that has ended."""
        return list(self.exporter.get_finished_spans())

    def named(self, start: str) -> list[ReadableSpan]:
        """The spans whose name begins so."""
        return [span for span in self.spans if span.name.startswith(start)]

    def one(self, start: str) -> ReadableSpan:
        """The only span whose name begins so."""
        (span,) = self.named(start)
        return span

    def points(self) -> dict[str, list[Any]]:
        """The points of each metric since this was last asked."""
        data = self.reader.get_metrics_data()
        metrics_ = (
            one
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for one in scope.metrics
        )
        return {one.name: list(one.data.data_points) for one in metrics_ if one.data.data_points}
