"""What `watthour up` does beside serving: the rounds of each site on a clock, failures logged and never fatal."""

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

from watthour.core.errors import WatthourError
from watthour.core.window import DAY, Window
from watthour.workflows.forecast import RUN_PREFIX
from watthour.workflows.rounds import (
    fill,
    followed,
    issue,
    note_failure,
    note_recovery,
    poll,
    prepare,
)
from watthour.workflows.score import score
from watthour.workflows.sites import contexts, find_context, has_weather
from watthour.workflows.view import is_followed
from watthour.workflows.weather_rounds import weather_round

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.bootstrap import App
    from watthour.core.forecast import Context
    from watthour.core.place import Point
    from watthour.workflows.rounds import Polled

STAND_IN = "simulated"  # what is shown while nothing real is there
FIRST_LOOK = timedelta(days=75)  # enough of the simulated region to show a page at once
LATE = 3600  # a round missed by up to an hour, asleep or busy, is still made [s]
LONGEST_WAIT_S = 5.0
WEEK = timedelta(days=7)


class Scheduler:
    """The clock of one process's rounds; `start` and `stop` belong together."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._log = structlog.get_logger("watthour.rounds")
        self._stopping = threading.Event()
        self._prepared: set[str] = set()
        self._places: dict[str, tuple[Point, ...]] = {}  # where the weather of a site was asked for last
        self._training: subprocess.Popen[str] | None = None
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(2), "training": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE},
        )

    def followed(self) -> list[Context]:
        """Return the sites whose sources are asked: those the settings name, else the simulated one."""
        app = self._app
        named = [context for name in app.settings.regions if (context := app.find(name)) is not None]
        stand_in = find_context(app.store, app.directories, STAND_IN) if app.settings.simulate else None
        return followed(named, app.store, can_follow=app.can_follow, stand_in=stand_in)

    def make_first_data(self) -> None:
        """Give the simulated region, where it is what there is, enough of a past to show a page at once."""
        now = _utc_now()
        for context in self.followed():
            if context.site.is_simulated and context.channel.id not in self._app.store.spans():
                self._log.info(
                    "simulating", region=context.site.id, why="nothing real can be asked, or is in the store"
                )
                first_look = Window(now - FIRST_LOOK, now + 3 * DAY)
                self._guard(f"simulate:{context.channel.id}", partial(self._fill, context, first_look))

    def start(self) -> None:
        """Begin the rounds; the first one runs at once."""
        settings = self._app.settings
        ingest_hours, refresh_hours = f"*/{settings.ingest_every_hours}", f"*/{settings.refresh_every_hours}"
        for context in self.followed():
            zone = ZoneInfo(context.time_zone)
            day_ahead = CronTrigger(hour=settings.issue_hour, minute=0, timezone=zone)
            training = IntervalTrigger(days=settings.train_every_days)
            self._add("prepare", context, self._prepare, IntervalTrigger(hours=1), executor="training", at_once=True)
            self._add("ingest", context, self._ingest, CronTrigger(hour=ingest_hours, minute=5))
            self._add("refresh", context, self._forecast, CronTrigger(hour=refresh_hours, minute=12))
            self._add("day ahead", context, self._day_ahead, day_ahead)
            self._add("score", context, self._score, CronTrigger(hour=6, minute=30, timezone=zone))
            self._add("train", context, self._train, training, executor="training")
        every_minute = IntervalTrigger(minutes=1)
        self._scheduler.add_job(
            self._weather, every_minute, id="weather", name="weather of sites by files", next_run_time=_utc_now()
        )
        if not self.followed():
            cures = [error.remedy for error in self._app.lacking().values()]
            self._log.info("nothing_followed", why="no source of a load can be asked", cure=cures or "import files")
        self._scheduler.start()

    def stop(self) -> None:
        """End the rounds: no new one begins, a training is ended, a running fetch gets a moment."""
        self._stopping.set()
        training = self._training
        if training is not None and training.poll() is None:
            training.terminate()
            try:
                training.wait(LONGEST_WAIT_S)
            except subprocess.TimeoutExpired:
                training.kill()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for thread in threading.enumerate():
            if thread.name.startswith("ThreadPoolExecutor"):
                thread.join(LONGEST_WAIT_S)

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
        context: Context,
        work: Callable[[Context], None],
        trigger: CronTrigger | IntervalTrigger,
        executor: str = "default",
        *,
        at_once: bool = False,
    ) -> None:
        name = f"{what} {context.site.id}"
        first: dict[str, Any] = {"next_run_time": _utc_now()} if at_once else {}
        label = {"refresh": RUN_PREFIX, "day ahead": RUN_PREFIX}.get(what, f"{what}:") + context.channel.id
        self._scheduler.add_job(
            self._guard,
            trigger,
            args=(label, lambda: work(self._as_known_now(context))),
            id=name,
            name=name,
            executor=executor,
            **first,
        )

    def _as_known_now(self, context: Context) -> Context:
        """Return the context with the covariates and rivals that the store has by now."""
        return find_context(self._app.store, self._app.directories, _name_of(context))

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
            if not self._stopping.is_set():
                note_recovery(self._app.store, what, now=_utc_now())

    def _note(self, what: str, error: Exception) -> None:
        try:
            note_failure(self._app.store, what, error, now=_utc_now())
        except WatthourError as second:
            self._log.warning("not_noted", round=what, problem=second.problem)

    def _prepare(self, context: Context) -> None:
        """Fetch the past if there is little, forecast, and train if nothing serves; again until it has worked."""
        if context.channel.id in self._prepared:
            return
        prepare(
            self._app.store,
            self._app.registry,
            context,
            now=_utc_now(),
            fill_past=partial(self._fill, context),
            refresh=partial(self._day_ahead, context),
            train_first=partial(self._train, context),
        )
        self._prepared.add(context.channel.id)

    def _fill(self, context: Context, window: Window) -> None:
        store = self._app.store
        sources = self._app.past_sources(context)
        for filled in fill(sources, store, window, clock=_utc_now, progress=self._tell_progress):
            report = filled.report
            self._log.info("filled", source=filled.source, new_rows=report.new_rows, refused_rows=report.refused_rows)
            if is_followed(store, context, _utc_now()):  # a page as soon as there is load, weather or not
                forecast = partial(self._forecast, self._as_known_now(context))
                self._guard(f"{RUN_PREFIX}{context.channel.id}", forecast)

    def _tell_progress(self, source: str, window: Window) -> None:
        if self._stopping.is_set():
            raise InterruptedError
        self._log.info("filling", source=source, start=str(window.start), end=str(window.end))

    def _ingest(self, context: Context) -> None:
        for polled in poll(self._app.sources_for(context), self._app.store, now=_utc_now()):
            self._tell_polled(polled)

    def _tell_polled(self, polled: Polled) -> None:
        if polled.error is not None:
            error = polled.error
            self._log.warning("source_failed", source=polled.source, problem=error.problem, remedy=error.remedy)
        elif polled.report is not None:
            self._log.info("ingested", source=polled.source, new_rows=polled.report.new_rows)

    def _weather(self) -> None:
        """Ask for the weather of the sites whose readings come by files; a new site is seen within a minute."""
        app, now = self._app, _utc_now()
        followed = {context.channel.id for context in self.followed()}
        for context in contexts(app.store, app.directories, ()):
            if context.channel.id not in followed and app.comes_by_files(context):
                self._guard(f"weather:{context.site.id}", partial(self._weather_of, context, now))

    def _weather_of(self, context: Context, now: datetime) -> None:
        app, site = self._app, context.site
        if site.id not in self._places and has_weather(app.store, site):
            self._places[site.id] = site.points
        for polled in weather_round(
            app.past_sources(context),
            app.sources_for(context),
            app.store,
            context,
            now=now,
            every=timedelta(hours=app.settings.ingest_every_hours),
            is_new_place=self._places.get(site.id) != site.points,
        ):
            self._tell_polled(polled)
        self._places[site.id] = site.points

    def _forecast(self, context: Context) -> None:
        report = issue(self._app.store, self._app.registry, context, now=_utc_now())
        self._log.info(
            "forecast", region=context.site.id, model=report.version, new_rows=report.new_rows, note=report.fallback
        )

    def _day_ahead(self, context: Context) -> None:
        self._ingest(context)
        self._forecast(self._as_known_now(context))

    def _score(self, context: Context) -> None:
        now = _utc_now()
        scores = score(self._app.store, context, Window(now - WEEK, now), now=now)
        for row in scores.rows:
            if row["lead_hours"] == "all":
                self._log.info("scored", region=context.site.id, **row)

    def _train(self, context: Context) -> None:
        """Train in a process of its own: serving stays quick, and a signal ends it at once."""
        name = _name_of(context)
        command = [sys.executable, "-m", "watthour", "train", name]
        environment = {**os.environ, "WATTHOUR_HOME": str(self._app.settings.home)}
        self._training = subprocess.Popen(  # noqa: S603 - ourselves
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        last = ""
        with self._training as training:
            for line in training.stdout or ():
                last = line.strip()
                self._log.info("training", region=context.site.id, step=last)
        if self._stopping.is_set():
            raise InterruptedError
        if training.returncode:
            raise WatthourError(
                f"training ended with code {training.returncode}: {last}", remedy=f"Run `watthour train {name}`."
            )


def _name_of(context: Context) -> str:
    """Return the name under which this channel, and no other of the site, is found again."""
    is_main = context.channel.id == context.site.main_channel
    return context.site.id if is_main else context.channel.id


def _utc_now() -> datetime:
    return datetime.now(UTC)
