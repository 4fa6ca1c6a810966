"""OpenTelemetry's own SDK with exporters in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import metrics, propagate, trace
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from talking import Desk
from told import Told


@pytest.fixture(scope="session")
def sdk() -> Told:
    """A process has one SDK, for as long as it lives: other tests must not see it on their wires."""
    propagate.set_global_textmap(CompositePropagator([]))
    exporter = InMemorySpanExporter()
    reader = InMemoryMetricReader(preferred_temporality={Histogram: AggregationTemporality.DELTA})
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
    return Told(exporter, reader)


@pytest.fixture
def told(sdk: Told) -> Told:
    """Nothing was told yet."""
    sdk.exporter.clear()
    sdk.points()
    return sdk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.stack:
        yield desk
    desk.model.check()
