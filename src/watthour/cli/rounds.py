"""What `watthour up` does beside serving: the rounds of each region on a clock, failures logged and never fatal."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from watthour.bootstrap import first_window, past_sources, simulated_region, sources_for
from watthour.core.errors import NotEnoughHistory, WatthourError
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, Window
from watthour.workflows.forecast import RUN_PREFIX, forecast
from watthour.workflows.ingest import backfill
from watthour.workflows.rounds import note_failure, poll
from watthour.workflows.score import score
from watthour.workflows.view import is_followed

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.bootstrap import App
    from watthour.core.region import Region

FIRST_LOOK = timedelta(days=75)  # enough of the simulated region to show a page at once
LATE = 3600  # a round missed by up to an hour, asleep or busy, is still made [s]
PATIENCE_S = 5.0
WEEK = timedelta(days=7)


class Rounds:
    """The clockwork of one process; `start` and `stop` belong together."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._log = structlog.get_logger("watthour.rounds")
        self._stopping = threading.Event()
        self._prepared: set[str] = set()
        self._training: subprocess.Popen[str] | None = None
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(2), "training": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE},
        )

    def followed(self) -> list[Region]:
        """Return the regions whose sources can be asked."""
        from watthour.core.region import find_region

        settings, store = self._app.settings, self._app.store
        real = [find_region(name) for name in settings.regions] if settings.has_eia_key() else []
        if real:
            return real
        spans = store.spans()
        has_real_demand = any(
            not channel.is_simulated and channel.id in spans and channel.id.endswith(".demand")
            for channel in store.channels()
        )
        return [] if has_real_demand or not settings.simulate else [simulated_region()]

    def make_first_data(self) -> None:
        """Give the simulated region, where it is what there is, enough of a past to show a page at once."""
        now = _utc_now()
        for region in self.followed():
            if region.is_simulated and region.demand not in self._app.store.spans():
                self._log.info("simulating", region=region.id, why="no key of EIA is set and the store holds no demand")
                first_look = Window(now - FIRST_LOOK, now + 3 * DAY)
                self._guard(f"simulate:{region.demand}", partial(self._fill, region, first_look))

    def start(self) -> None:
        """Begin the rounds; the first one runs at once."""
        settings = self._app.settings
        for region in self.followed():
            zone = ZoneInfo(region.time_zone)
            self._add("prepare", region, self._prepare, IntervalTrigger(hours=1), executor="training", at_once=True)
            self._add("ingest", region, self._ingest, CronTrigger(hour=f"*/{settings.ingest_every_hours}", minute=5))
            self._add(
                "refresh", region, self._forecast, CronTrigger(hour=f"*/{settings.refresh_every_hours}", minute=12)
            )
            self._add(
                "day ahead", region, self._day_ahead, CronTrigger(hour=settings.issue_hour, minute=0, timezone=zone)
            )
            self._add("score", region, self._score, CronTrigger(hour=6, minute=30, timezone=zone))
            self._add(
                "train",
                region,
                self._train,
                IntervalTrigger(days=settings.train_every_days),
                executor="training",
            )
        if not self._scheduler.get_jobs():
            self._log.info("nothing_followed", why="no key of EIA is set", cure="set EIA_API_KEY, or import files")
        self._scheduler.start()

    def stop(self) -> None:
        """End the rounds: no new one begins, a training is ended, a running fetch gets a moment."""
        self._stopping.set()
        training = self._training
        if training is not None and training.poll() is None:
            training.terminate()
            try:
                training.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                training.kill()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for thread in threading.enumerate():
            if thread.name.startswith("ThreadPoolExecutor"):
                thread.join(PATIENCE_S)

    def leave(self) -> None:
        """Leave the process even if a fetch still hangs: what the store acknowledged is on the disk."""
        if any(thread.name.startswith("ThreadPoolExecutor") for thread in threading.enumerate()):
            self._log.warning("abandoned", what="a round that did not end in time")
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def _add(
        self,
        what: str,
        region: Region,
        work: Callable[[Region], None],
        trigger: CronTrigger | IntervalTrigger,
        executor: str = "default",
        *,
        at_once: bool = False,
    ) -> None:
        name = f"{what} {region.id}"
        first: dict[str, Any] = {"next_run_time": _utc_now()} if at_once else {}
        label = {"refresh": RUN_PREFIX, "day ahead": RUN_PREFIX}.get(what, f"{what}:") + region.demand
        self._scheduler.add_job(
            self._guard, trigger, args=(label, lambda: work(region)), id=name, name=name, executor=executor, **first
        )

    def _guard(self, what: str, work: Callable[[], None]) -> None:
        """Do a round; a failure is an event in the log, the status and the doctor, and the next round comes anyway."""
        if self._stopping.is_set():
            return
        try:
            work()
        except WatthourError as error:
            self._log.warning("round_failed", round=what, problem=error.problem, remedy=error.remedy)
            self._note(what, error)
        except Exception as error:  # noqa: BLE001 - whatever a round meets, serving goes on
            if not self._stopping.is_set():
                self._log.exception("round_failed", round=what)
                self._note(what, error)
        else:
            self._note_recovery(what)

    def _note_recovery(self, what: str) -> None:
        """End a failure that would otherwise be shown as the last thing known of a round."""
        last = self._app.store.runs(source=what, limit=1)
        if last and last[0].state is RunState.FAILED and not self._stopping.is_set():
            now = _utc_now()
            self._app.store.note_run(SourceRun(what, now, now, last[0].window, RunState.OK, 0))

    def _note(self, what: str, error: Exception) -> None:
        try:
            note_failure(self._app.store, what, error, now=_utc_now())
        except WatthourError as second:
            self._log.warning("not_noted", round=what, problem=second.problem)

    def _prepare(self, region: Region) -> None:
        """Fetch the past if there is little, forecast, and train if nothing serves; again until it has worked."""
        if region.id in self._prepared:
            return
        now = _utc_now()
        span = self._app.store.spans().get(region.demand)
        wanted = first_window(region, now)
        if span is None or span[0] > wanted.start + 7 * DAY:
            self._fill(region, wanted)
        self._ingest(region)
        self._forecast(region)
        if self._app.registry.champion(region.demand) is None:
            self._train(region)
            if self._stopping.is_set():
                return
            self._forecast(region)
        self._prepared.add(region.id)

    def _fill(self, region: Region, window: Window) -> None:
        for source in past_sources(region, self._app.settings):
            report = backfill(
                source, self._app.store, window, now=_utc_now(), progress=self._tell_progress(source.name)
            )
            self._log.info("filled", source=source.name, new_rows=report.new_rows, refused_rows=report.refused_rows)
            if is_followed(self._app.store, region, _utc_now()):  # a page as soon as there is demand, weather or not
                self._guard(f"{RUN_PREFIX}{region.demand}", partial(self._forecast, region))

    def _tell_progress(self, source: str) -> Callable[[Window, object], None]:
        def tell(window: Window, _report: object) -> None:
            if self._stopping.is_set():
                raise InterruptedError
            self._log.info("filling", source=source, start=str(window.start), end=str(window.end))

        return tell

    def _ingest(self, region: Region) -> None:
        for polled in poll(sources_for(region, self._app.settings), self._app.store, now=_utc_now()):
            if polled.error is not None:
                error = polled.error
                self._log.warning("source_failed", source=polled.source, problem=error.problem, remedy=error.remedy)
            elif polled.report is not None:
                self._log.info("ingested", source=polled.source, new_rows=polled.report.new_rows)

    def _forecast(self, region: Region) -> None:
        if not is_followed(self._app.store, region, _utc_now()):
            raise NotEnoughHistory(
                f"the newest demand of {region.name} is too old to forecast tomorrow from",
                remedy="`watthour doctor` tells which source brings nothing.",
            )
        report = forecast(self._app.store, self._app.registry, region.context(), now=_utc_now())
        self._log.info(
            "forecast", region=region.id, model=report.version, new_rows=report.new_rows, note=report.fallback
        )

    def _day_ahead(self, region: Region) -> None:
        self._ingest(region)
        self._forecast(region)

    def _score(self, region: Region) -> None:
        now = _utc_now()
        scores = score(self._app.store, region.context(), Window(now - WEEK, now), now=now)
        for row in scores.rows:
            if row["lead_hours"] == "all":
                self._log.info("scored", region=region.id, **row)

    def _train(self, region: Region) -> None:
        """Train in a process of its own: serving stays quick, and a signal ends it at once."""
        command = [sys.executable, "-m", "watthour", "train", region.id]
        environment = {**os.environ, "WATTHOUR_HOME": str(self._app.settings.home)}
        self._training = subprocess.Popen(  # noqa: S603 - ourselves
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        last = ""
        with self._training as training:
            for line in training.stdout or ():
                last = line.strip()
                self._log.info("training", region=region.id, step=last)
        if training.returncode and not self._stopping.is_set():
            raise WatthourError(
                f"training ended with code {training.returncode}: {last}", remedy=f"Run `watthour train {region.id}`."
            )


def _utc_now() -> datetime:
    return datetime.now(UTC)
