"""Counts the engine's measurements for Prometheus, with one worker or several.

Where the server has set PROMETHEUS_MULTIPROC_DIR before this module is imported, every worker keeps its values in files of
that folder, and each can return the sums of all. Labels have values from the model table and from fixed sets only: never a
text of a caller or a provider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import values as prometheus_values
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.multiprocess import MultiProcessCollector

from webapp.measurements import GAP_BOUNDS_S, ResumeKind, RunReport, TakeoverOutcome
from webapp.offload import WorkerPool

__all__ = ["CONTENT_TYPE", "Metrics"]

_FIRST_DELTA_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
_RENDER_S = 10.0
_LAG_STEP_S = 0.5  # a journal that keeps up is up to a tenth of a second behind
OTHER = "other"  # the label of a model that is not in the table
_RESUME_KINDS: tuple[ResumeKind, ...] = ("continued", "reset", "joined", "at_end")
_TAKEOVER_OUTCOMES: tuple[TakeoverOutcome, ...] = ("continued", "interrupted", "cancelled", "stored")


class _BulkHistogram(Histogram):
    """A histogram to which many observations, already counted per bucket, are added at once."""

    def add_counts(self, counts: Sequence[int], total: float) -> None:
        """Add `counts[i]` observations to bucket `i`; `total` is the sum of their values."""
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(total)


class Metrics:
    """The metrics of this process; an `Observer` of the engine.

    `label_model` returns the name of a provider's model in the table, or None for one that is not in it.
    """

    def __init__(self, label_model: Callable[[str, str], str | None]) -> None:
        self._label_model = label_model
        self._pool = WorkerPool("metrics", native=True)
        registry = self._registry = CollectorRegistry()
        self._current = Gauge(
            "freshet_runs_current",
            "Answers in progress.",
            ["state"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._readers = Gauge(
            "freshet_readers", "Open connections of readers.", registry=registry, multiprocess_mode="livesum"
        )
        self._journal_lag = Gauge(
            "freshet_journal_lag_seconds",
            "How far the journal is behind the answers in progress, in steps of half a second.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._runs = Counter(
            "freshet_runs", "Ended answers, by their final state.", ["provider", "state"], registry=registry
        )
        self._first_delta = Histogram(
            "freshet_first_delta_seconds",
            "Time from the start of an answer to its first delta.",
            ["provider"],
            buckets=_FIRST_DELTA_BOUNDS_S,
            registry=registry,
        )
        self._gaps = _BulkHistogram(
            "freshet_frame_gap_seconds",
            "Time between successive frames of an answer.",
            buckets=GAP_BOUNDS_S,
            registry=registry,
        )
        self._frames = Counter("freshet_frames", "Frames of ended answers.", registry=registry)
        self._frame_bytes = Counter(
            "freshet_frame_bytes",
            "Bytes in the frames of ended answers, each frame counted once.",
            registry=registry,
        )
        self._resumes = Counter(
            "freshet_resumes",
            "Readers that came to an answer that had readers before.",
            ["kind"],
            registry=registry,
        )
        self._takeovers = Counter(
            "freshet_takeovers",
            "Answers of other workers that have died.",
            ["outcome"],
            registry=registry,
        )
        self._errors = Counter(
            "freshet_provider_errors",
            "Failed calls of providers; repeated: another attempt or provider followed.",
            ["provider", "code", "repeated"],
            registry=registry,
        )
        self._tokens = Counter(
            "freshet_tokens",
            "Tokens of ended answers. Those read from and written to a cache are among the input.",
            ["provider", "model", "kind"],
            registry=registry,
        )
        self._cost = Counter(
            "freshet_cost_dollars",
            "Cost of ended answers in US dollars.",
            ["provider", "model"],
            registry=registry,
        )
        self._unpriced = Counter(
            "freshet_runs_unpriced", "Ended answers whose cost is unknown.", ["provider"], registry=registry
        )
        self._shown: tuple[int, int, int] | None = None
        self._shown_lag_s = -1.0
        self.set_current(queued=0, streaming=0, readers=0)
        self.set_journal_lag(0.0)
        for kind in _RESUME_KINDS:
            self._resumes.labels(kind)
        for outcome in _TAKEOVER_OUTCOMES:
            self._takeovers.labels(outcome)

    def run_ended(self, report: RunReport) -> None:
        """See `measurements.Observer`."""
        result = report.result
        provider, usage = result.provider, result.usage
        model = self._model_label(provider, report)
        self._runs.labels(provider, result.state).inc()
        if report.first_delta_s is not None:
            self._first_delta.labels(provider).observe(report.first_delta_s)
        self._gaps.add_counts(report.gaps.counts, report.gaps.total_s)
        self._frames.inc(report.frames)
        self._frame_bytes.inc(report.frame_bytes)
        for kind, tokens in (
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cache_read", usage.cache_read_tokens),
            ("cache_write", usage.cache_write_tokens),
        ):
            if tokens:
                self._tokens.labels(provider, model, kind).inc(tokens)
        if result.cost is None:
            self._unpriced.labels(provider).inc()
        elif result.cost > Decimal(0):
            self._cost.labels(provider, model).inc(float(result.cost))

    def provider_failed(self, provider: str, code: str, *, repeated: bool) -> None:
        """See `measurements.Observer`."""
        self._errors.labels(provider, code, "yes" if repeated else "no").inc()

    def resumed(self, kind: ResumeKind) -> None:
        """See `measurements.Observer`."""
        self._resumes.labels(kind).inc()

    def run_taken_over(self, outcome: TakeoverOutcome) -> None:
        """See `measurements.Observer`."""
        self._takeovers.labels(outcome).inc()

    def set_current(self, *, queued: int, streaming: int, readers: int) -> None:
        """See `measurements.Observer`."""
        numbers = queued, streaming, readers
        if numbers != self._shown:
            self._shown = numbers
            self._current.labels("queued").set(queued)
            self._current.labels("streaming").set(streaming)
            self._readers.set(readers)

    def set_journal_lag(self, seconds: float) -> None:
        """See `measurements.Observer`."""
        shown_s = int(seconds / _LAG_STEP_S) * _LAG_STEP_S
        if shown_s != self._shown_lag_s:
            self._shown_lag_s = shown_s
            self._journal_lag.set(shown_s)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format. Raises `Unavailable`."""
        if not prometheus_values.ValueClass._multiprocess:
            return generate_latest(self._registry)
        return self._pool.call(_render_all_workers, _RENDER_S)  # reads a few files per worker

    def _model_label(self, provider: str, report: RunReport) -> str:
        label = self._label_model
        return label(provider, report.result.model) or label(provider, report.requested_model) or OTHER


def _render_all_workers() -> bytes:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
