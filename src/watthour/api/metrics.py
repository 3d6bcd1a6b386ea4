"""Prometheus metrics; a gauge without a value yet is absent, not zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What the store knows now; read at the rhythm of scraping."""

    freshness_hours: Mapping[str, float]  # by channel
    mae_mwh: Mapping[tuple[str, str], float]  # by region and model
    mape_percent: Mapping[tuple[str, str], float]
    predicted_mwh: Mapping[str, float]  # by region, for the hour now running


class Metrics:
    """The public names; every one carries labels, so that it appears only with its first value."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "prediction_requests_total", "Predictions asked for.", ["route", "outcome"], registry=self.registry
        )
        self.latency = Histogram(
            "prediction_latency_seconds",
            "Time to answer a prediction.",
            ["route"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.predicted = Gauge(
            "predicted_demand_mwh",
            "Last predicted demand: of the hour now running (forecast), or as last asked (predict).",
            ["region", "route"],
            registry=self.registry,
        )
        self.mae = Gauge(
            "model_mae_mwh",
            "Mean absolute error of stored forecasts over 30 days, by forecaster.",
            ["region", "model"],
            registry=self.registry,
        )
        self.mape = Gauge(
            "model_mape_percent",
            "Mean absolute percentage error of stored forecasts over 30 days, by forecaster.",
            ["region", "model"],
            registry=self.registry,
        )
        self.drift_share = Gauge(
            "drift_share", "Share of features that drifted, at the last check.", ["region"], registry=self.registry
        )
        self.drift_detected = Gauge(
            "drift_detected", "1 if the last check found drift, else 0.", ["region"], registry=self.registry
        )
        self.freshness = Gauge(
            "data_freshness_hours", "Age of the newest reading.", ["channel"], registry=self.registry
        )
        self.retrains = Counter(
            "retrain_triggered_total", "Retrainings triggered.", ["region", "reason"], registry=self.registry
        )

        self.answers = Counter(
            "warm_answers_total",
            "Answers that are kept warm, when asked for: hit or miss, and dropped as expired or overtaken by new data.",
            ["answer", "outcome"],
            registry=self.registry,
        )

        self.sink_points = Counter(
            "sink_points_total",
            "Readings written to a database beside the store, or messages sent of homes.",
            ["sink"],
            registry=self.registry,
        )
        self.sink_failures = Counter(
            "sink_failures_total", "Tries of it that failed; none loses a reading.", ["sink"], registry=self.registry
        )
        self.sink_success = Gauge(
            "sink_last_success_timestamp_seconds", "When it was last told something.", ["sink"], registry=self.registry
        )
        self._sinks: dict[str, tuple[int, int]] = {}  # points and failures that are counted

    def show_sink(self, name: str, n_points: int, n_failures: int, last_success_at: datetime | None) -> None:
        """Bring the counts of a database beside the store up to what they are."""
        points, failures = self._sinks.get(name, (0, 0))
        self.sink_points.labels(name).inc(n_points - points)
        self.sink_failures.labels(name).inc(n_failures - failures)
        self._sinks[name] = (n_points, n_failures)
        if last_success_at is not None:
            self.sink_success.labels(name).set(last_success_at.timestamp())

    def count_answer(self, name: str, outcome: str) -> None:
        """Count what became of an answer that is kept warm."""
        self.answers.labels(name, outcome).inc()

    def observe(self, route: str, outcome: str, seconds: float) -> None:
        """Count one prediction and its time."""
        self.requests.labels(route, outcome).inc()
        self.latency.labels(route).observe(seconds)

    def show(self, gauges: Gauges) -> None:
        """Replace what the store knew by what it knows."""
        self.freshness.clear()
        for channel, hours in gauges.freshness_hours.items():
            self.freshness.labels(channel).set(hours)
        for gauge, values in ((self.mae, gauges.mae_mwh), (self.mape, gauges.mape_percent)):
            gauge.clear()
            for (region, model), value in values.items():
                gauge.labels(region, model).set(value)
        for region, value in gauges.predicted_mwh.items():
            self.predicted.labels(region, "forecast").set(value)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
