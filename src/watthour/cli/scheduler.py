"""What `watthour up` does beside serving: the rounds of each site on a clock, failures logged and never fatal."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from functools import cached_property, partial
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from watthour.cli.leaving import POOL_NAME, leave_now, others_that_run, own_threads
from watthour.core.errors import WatthourError
from watthour.core.price import auction_of
from watthour.core.window import DAY, HOUR, Window
from watthour.workflows.asking import BUDGET_S, Workers, fill, poll
from watthour.workflows.beside import beside_load
from watthour.workflows.forecast import RUN_PREFIX
from watthour.workflows.home_plan import Asked
from watthour.workflows.homes import homes
from watthour.workflows.rounds import (
    first_window,
    followed,
    homes_training_is_due,
    issue,
    last_begun,
    note_done,
    note_failure,
    note_recovery,
    own_rounds,
    prepare,
    training_is_due,
)
from watthour.workflows.runs import HOMES_RUN, SCORE_PREFIX, TRAIN_PREFIX, due
from watthour.workflows.schedule import Daily, Every, Hourly, Round
from watthour.workflows.score import score
from watthour.workflows.shared_model import is_trained_together
from watthour.workflows.sites import contexts, find_context, name_of, weather_since
from watthour.workflows.stand_in import describe, fill_past, furnish, keep_uses
from watthour.workflows.training_process import ALL_HOMES
from watthour.workflows.view import is_followed
from watthour.workflows.weather_rounds import weather_round
from watthour.workflows.windows import daily_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from watthour.bootstrap import App
    from watthour.core.channel import Site
    from watthour.core.forecast import Context
    from watthour.core.place import Point
    from watthour.sources.connectors import Connectors
    from watthour.workflows.asking import Polled
    from watthour.workflows.schedule import Rule

STAND_IN = "simulated"  # what is shown while nothing real is there
LOOK_FOR_USES = timedelta(minutes=15)  # of the simulated home's devices
FIRST_LOOK = timedelta(days=75)  # enough of the simulated region to show a page at once
WEEK = timedelta(days=7)
LOOK_FOR_FILES = timedelta(minutes=2)  # how soon readings that were imported are forecast
LOOK_FOR_PLANS = timedelta(minutes=1)  # how soon a change of tariff or equipment is planned
LOOK_FOR_WEATHER = timedelta(minutes=1)
LOOK_FOR_TRAINING = timedelta(minutes=30)  # how often it is looked whether a training is due
LONG_AT_ONCE = 8  # fills and trainings; each site has one at a time, and of all sites one trains
PLAN_PREFIX = "plan:"  # of a home, in the log of runs
PLAN_AGAIN_AFTER = timedelta(minutes=10)  # where none was found
TICK_S = 10.0  # how often the clock is looked at
LONGEST_WAIT_S = 5.0  # for what still runs at the end


class Scheduler:
    """The clock of one process's rounds; `start` and `stop` belong together.

    Args:
        app: the opened application.
        clock: tells the present.
    """

    def __init__(self, app: App, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._app = app
        self._now = clock
        self._log = structlog.get_logger("watthour.rounds")
        self._stopping = threading.Event()
        self._prepared: set[str] = set()
        self._places: dict[str, tuple[tuple[Point, ...], datetime]] = {}  # of each site's weather, and since when
        self._workers = Workers()
        self._fillers = Workers()
        self._trainings, self._comparisons = app.trainings, app.comparisons
        self._rounds: list[Round] = []
        self._not_planned: dict[str, datetime] = {}  # when a home was last tried in vain
        self._planned_with: Connectors | None = None
        self._started_at = clock()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix=POOL_NAME)
        self._long_pool = ThreadPoolExecutor(LONG_AT_ONCE, thread_name_prefix=f"{POOL_NAME}-long")

    def followed(self) -> list[Context]:
        """Return the sites whose sources are asked: those the settings name, else the simulated one."""
        app = self._app
        named = [context for name in app.settings.regions if (context := app.find(name)) is not None]
        stand_in = find_context(app.store, app.directories, STAND_IN) if app.settings.simulate else None
        return followed(named, app.store, can_follow=app.can_follow, stand_in=stand_in)

    def asked_without_load(self) -> list[Context]:
        """Return the sites that the settings name of which something is asked, though their load cannot be."""
        app = self._app
        named = [context for name in app.settings.regions if (context := app.find(name)) is not None]
        return [context for context in named if app.is_asked_without_load(context)]

    def make_first_data(self) -> None:
        """Give the simulated region, where it is what there is, enough of a past to show a page at once."""
        now = self._now()
        for context in self.followed():
            if context.site.is_simulated and context.channel.id not in self._app.store.spans():
                self._log.info(
                    "simulating", region=context.site.id, why="nothing real can be asked, or is in the store"
                )
                first_look = Window(now - FIRST_LOOK, now + 3 * DAY)
                self._guard(f"simulate:{context.channel.id}", partial(self._fill, context, first_look))

    @cached_property
    def shows_stand_in_home(self) -> bool:
        """Whether the simulated home lives beside the simulated region."""
        return self._app.wants_stand_in_home(self.followed())

    def start(self) -> None:
        """Begin the rounds: those that were missed while nothing ran are made up once, at once."""
        self._plan()
        self.tick()
        threading.Thread(target=self._keep_time, name=f"{POOL_NAME}-clock", daemon=True).start()

    def tick(self) -> None:
        """Begin every round that is due now; a source that was added meanwhile has its rounds too."""
        now = self._now()
        if self._planned_with is not None and self._app.connectors is not self._planned_with:
            self._plan_again()
        for each in self._rounds:
            others = (other for other in self._rounds if other.is_long and other.is_running)
            must_wait = each.is_long and any(other.site == each.site for other in others)
            if each.is_due(now) and not must_wait and not self._stopping.is_set():
                each.last, each.is_running = now, True
                (self._long_pool if each.is_long else self._pool).submit(self._do, each)

    def stop(self) -> None:
        """End the rounds: no new one begins, a training or comparison is ended, a running fetch gets a moment."""
        self._stopping.set()
        self._trainings.stop()
        self._comparisons.stop()
        for pool in (self._pool, self._long_pool):
            pool.shutdown(wait=False, cancel_futures=True)
        give_up_at = monotonic() + LONGEST_WAIT_S
        for thread in own_threads():
            thread.join(max(0.0, give_up_at - monotonic()))

    def leave(self) -> None:
        """Leave the process even if a fetch or a plan still runs: what the store acknowledged is on the disk."""
        if own_threads():
            self._log.warning("abandoned", what="a round that did not end in time")
            leave_now()
        if others_that_run():
            self._log.warning("abandoned", what="a request that did not end in time")
            leave_now()

    def _plan_again(self) -> None:
        """Set up the rounds anew; one that was there before goes on as it is."""
        before = {each.name: each for each in self._rounds}
        self._rounds = []
        self._plan()
        self._rounds = [before.get(each.name, each) for each in self._rounds]
        self._log.info("planned_again", why="what is set of the sources has changed")

    def _plan(self) -> None:
        """Set up the rounds, each counted from its last run in the log."""
        settings, store, now = self._app.settings, self._app.store, self._now()
        self._planned_with = self._app.connectors
        for context in self.followed():
            channel, zone = context.channel.id, context.time_zone
            day_ahead, scoring = Daily(time(settings.issue_hour), zone), Daily(time(6, 30), zone)
            issued = last_begun(store, f"{RUN_PREFIX}{channel}", now=now) or now
            scored = last_begun(store, f"{SCORE_PREFIX}{channel}", now=now) or now
            self._add("prepare", context, self._prepare, Every(HOUR), is_long=True)
            self._add("ingest", context, self._ingest, Hourly(settings.ingest_every_hours, 5), last=now)
            self._add("refresh", context, self._forecast, Hourly(settings.refresh_every_hours, 12), last=now)
            self._add("day ahead", context, self._day_ahead, day_ahead, last=issued)
            if (auction := auction_of(context.site)) is not None:
                self._add(
                    "auction", context, self._before_auction, Daily(auction.last_call, auction.time_zone), last=now
                )
            self._add("score", context, self._score, scoring, last=scored)
            self._add("train", context, self._train_all_when_due, Every(LOOK_FOR_TRAINING), last=now, is_long=True)
        for context in self.asked_without_load():
            stands_by = {name: error.remedy for name, error in self._app.waited_for(context).items()}
            self._log.info("asked_without_load", region=context.site.id, stands_by=stands_by)
            self._add("ingest", context, self._ingest, Hourly(settings.ingest_every_hours, 5))
        if not self._rounds:
            cures = [error.remedy for error in self._app.lacking().values()]
            self._log.info("nothing_followed", why="no source of a load can be asked", cure=cures or "import files")
        if self.shows_stand_in_home:
            describe(store, self._app.stand_in_home)
            furnish(store, self._app.tariffs, self._app.equipment_file, self._app.stand_in_home, now=now)
            home = find_context(store, self._app.directories, self._app.stand_in_home.sites()[0].id)
            self._add("simulate", home, partial(self._stand_in_home, self._started_at), Every(LOOK_FOR_USES))
            self._add("refresh", home, self._forecast, Hourly(settings.refresh_every_hours, 12), last=now)
        self._rounds.append(Round("weather", Every(LOOK_FOR_WEATHER), self._weather))
        self._rounds.append(Round("plans", Every(LOOK_FOR_PLANS), self._plans, last=now))
        self._rounds.append(Round("files", Every(LOOK_FOR_FILES), self._own_files, is_long=True))

    def _keep_time(self) -> None:
        while not self._stopping.wait(TICK_S):
            try:
                self.tick()
            except Exception:  # noqa: BLE001 - the clock goes on, whatever a look at it met
                self._log.exception("clock_failed")

    def _do(self, each: Round) -> None:
        try:
            each.work()
        except Exception:  # noqa: BLE001 - what a round meets is guarded; this is about the noting of it
            self._log.exception("round_failed", round=each.name)
        finally:
            each.is_running = False

    def _add(
        self,
        what: str,
        context: Context,
        work: Callable[[Context], object],
        rule: Rule,
        *,
        last: datetime | None = None,
        is_long: bool = False,
    ) -> None:
        label = {"refresh": RUN_PREFIX, "day ahead": RUN_PREFIX}.get(what, f"{what}:") + context.channel.id
        self._rounds.append(
            Round(
                f"{what} {context.site.id}",
                rule,
                partial(self._guard, label, lambda: work(self._as_known_now(context))),
                last,
                is_long=is_long,
                site=context.channel.id,
            )
        )

    def _as_known_now(self, context: Context) -> Context:
        """Return the context with the covariates and rivals that the store has by now."""
        return find_context(self._app.store, self._app.directories, name_of(context))

    def _guard(self, what: str, work: Callable[[], object]) -> None:
        """Do a round; a failure is an event in the log, the status and the doctor, and the next round comes anyway.

        Work that returns False was not due: an earlier failure stands.
        """
        if self._stopping.is_set():
            return
        try:
            was_due = work() is not False
        except WatthourError as error:
            self._log.warning("round_failed", round=what, problem=error.problem, remedy=error.remedy)
            self._note(what, error)
        except Exception as error:  # noqa: BLE001 - whatever a round meets, serving goes on
            if not self._stopping.is_set():
                self._log.exception("round_failed", round=what)
                self._note(what, error)
        else:
            if was_due and not self._stopping.is_set():
                note_recovery(self._app.store, what, now=self._now())

    def _note(self, what: str, error: Exception) -> None:
        try:
            note_failure(self._app.store, what, error, now=self._now())
        except WatthourError as second:
            self._log.warning("not_noted", round=what, problem=second.problem)

    def _prepare(self, context: Context) -> None:
        """Fetch what the past lacks, forecast, and train if nothing serves; again until it has worked."""
        store, now = self._app.store, self._now()
        wanted = first_window(context, now)
        is_whole = not any(due(each.name, store, wanted, now=now) for each in self._app.past_sources(context))
        if is_whole and context.channel.id in self._prepared:
            return
        prepare(
            store,
            self._app.registry,
            context,
            clock=self._now,
            fill_past=partial(self._fill, context, wanted),
            refresh=partial(self._day_ahead, context),
            # one that is killed notes nothing itself, and what failed is not begun again every hour
            train_first=partial(self._guard, f"{TRAIN_PREFIX}{context.channel.id}", partial(self._train, context)),
        )
        for each in self._beside(context):  # last, as a page opens with the load
            self._guard(f"{TRAIN_PREFIX}{each.channel.id}", partial(self._train_when_due, each))
            self._guard(f"{RUN_PREFIX}{each.channel.id}", partial(self._issue, each, daily_window(each, self._now())))
        self._prepared.add(context.channel.id)

    def _fill(self, context: Context, wanted: Window) -> None:
        store, is_shown = self._app.store, False
        sources = self._app.past_sources(context)
        is_stopping = self._stopping.is_set
        for filled in fill(
            sources,
            store,
            wanted,
            clock=self._now,
            is_stopping=is_stopping,
            patience_s=BUDGET_S,
            workers=self._fillers,
        ):
            span = {"start": str(filled.window.start), "end": str(filled.window.end)}
            if filled.report is None:
                self._log.warning("fill_failed", source=filled.source, problem=str(filled.error), **span)
                continue
            report = filled.report
            self._log.info(
                "filled", source=filled.source, new_rows=report.new_rows, refused_rows=report.refused_rows, **span
            )
            if not is_shown and is_followed(store, context, self._now()):  # a page as soon as there is load
                is_shown = True
                forecast = partial(self._forecast, self._as_known_now(context))
                self._guard(f"{RUN_PREFIX}{context.channel.id}", forecast)
        if self._stopping.is_set():
            raise InterruptedError

    def _ingest(self, context: Context) -> None:
        sources = self._app.sources_for(context)
        for polled in poll(sources, self._app.store, now=self._now(), workers=self._workers):
            self._tell_polled(polled)

    def _tell_polled(self, polled: Polled) -> None:
        if polled.error is not None:
            error = polled.error
            self._log.warning("source_failed", source=polled.source, problem=error.problem, remedy=error.remedy)
        elif polled.report is not None:
            self._log.info("ingested", source=polled.source, new_rows=polled.report.new_rows)

    def _weather(self) -> None:
        """Ask for the weather of the sites whose readings come by files; a new site is seen within a minute."""
        app, now = self._app, self._now()
        followed = {context.channel.id for context in self.followed()}
        for context in contexts(app.store, app.directories, ()):
            if context.channel.id not in followed and app.comes_by_files(context):
                self._guard(f"weather:{context.site.id}", partial(self._weather_of, context, now))

    def _weather_of(self, context: Context, now: datetime) -> None:
        app, site = self._app, context.site
        asked = self._places.get(site.id)
        if asked is None or asked[0] != site.points:
            asked = self._places[site.id] = (site.points, weather_since(app.store, site) or now)
        for polled in weather_round(
            app.past_sources(context),
            app.sources_for(context),
            app.store,
            context,
            now=now,
            every=timedelta(hours=app.settings.ingest_every_hours),
            since=asked[1],
            is_stopping=self._stopping.is_set,
        ):
            self._tell_polled(polled)

    def _beside(self, context: Context) -> list[Context]:
        """Return what else is forecast of a site, as the store knows it now."""
        return beside_load(self._app.store, self._app.directories, context)

    def _forecast(self, context: Context) -> None:
        """Forecast a site, and what is forecast beside its load: one that fails does not stop the others."""
        for each in self._beside(context):
            self._guard(f"{RUN_PREFIX}{each.channel.id}", partial(self._issue, each))
        self._issue(context)

    def _issue(self, context: Context, window: Window | None = None) -> None:
        report = issue(self._app.store, self._app.registry, context, window, now=self._now())
        self._log.info(
            "forecast", region=name_of(context), model=report.version, new_rows=report.new_rows, note=report.fallback
        )

    def _day_ahead(self, context: Context) -> None:
        self._ingest(context)
        known = self._as_known_now(context)
        for each in self._beside(known):
            window = daily_window(each, self._now())
            self._guard(f"{RUN_PREFIX}{each.channel.id}", partial(self._issue, each, window))
        self._issue(known)

    def _before_auction(self, context: Context) -> None:
        """Forecast prices from what is known shortly before their auction closes."""
        for each in (context, *self._beside(context)):
            if each.channel.is_told_ahead:
                self._guard(f"{RUN_PREFIX}{each.channel.id}", partial(self._issue, each))

    def _score(self, context: Context) -> None:
        for each in (context, *self._beside(context)):
            self._score_one(each)

    def _score_one(self, context: Context) -> None:
        now = self._now()
        scores = score(self._app.store, context, Window(now - WEEK, now), now=now)
        for row in scores.rows:
            if row["lead_hours"] == "all":
                self._log.info("scored", region=name_of(context), **row)
        note_done(self._app.store, f"{SCORE_PREFIX}{context.channel.id}", now=now)

    def _train_all_when_due(self, context: Context) -> bool:
        """Train a site when that is due, and what is forecast beside its load; False: its own is not due."""
        for each in self._beside(context):
            self._guard(f"{TRAIN_PREFIX}{each.channel.id}", partial(self._train_when_due, each))
        return self._train_when_due(context)

    def _train_when_due(self, context: Context) -> bool:
        every = self._app.settings.train_every_days * DAY
        is_due = training_is_due(self._app.store, self._app.registry, context, now=self._now(), every=every)
        if is_due:
            self._train(context)
        return is_due

    def _train(self, context: Context) -> None:
        """Train in a process of its own: serving stays quick, and a signal ends it at once."""

        def tell(step: str) -> None:
            self._log.info("training", region=name_of(context), step=step)

        verdict = self._trainings.run(name_of(context), progress=tell)
        self._log.info("trained", region=name_of(context), verdict=verdict)

    def _stand_in_home(self, started_at: datetime, context: Context) -> None:
        """Give the simulated home the past it lacks, up to when it began to live, and keep what was used since."""
        store, home = self._app.store, self._app.stand_in_home

        def plan(site: Site, at: datetime) -> None:  # a plan that cannot be made leaves that day to habit
            making = partial(self._app.planner.plan, site, Asked(), now=at)
            self._guard(f"{PLAN_PREFIX}{site.id}", making)

        report = fill_past(store, home, now=started_at, plan=plan)
        if report.new_rows:
            self._log.info("simulating", home=home.sites()[0].id, new_rows=report.new_rows)
        keep_uses(store, home, now=self._now())
        if report.new_rows:
            self._forecast(context)

    def _plans(self) -> None:
        """Plan the homes that have a tariff and equipment, each every half hour, or as one of these changes."""
        for home in homes(self._app.store):
            self._guard(f"{PLAN_PREFIX}{home.id}", partial(self._plan_home, home))

    def _plan_home(self, home: Site) -> bool:
        planner, now = self._app.planner, self._now()
        if now - self._not_planned.get(home.id, now - DAY) < PLAN_AGAIN_AFTER:
            return False
        self._not_planned[home.id] = now  # until all of this has worked
        is_due = planner.is_possible(home, now=now) and planner.is_due(home, now=now)
        if is_due:
            content = planner.plan(home, Asked(), now=now)
            self._log.info("planned", home=home.id, status=content["status"], cost=content["cost"])
        del self._not_planned[home.id]
        return is_due

    def _own_files(self) -> None:
        """Forecast and train the sites whose readings a person imports, when new ones have come; homes together."""
        app = self._app
        here = {context.channel.id for context in self.followed()}
        every = app.settings.train_every_days * DAY
        own = [
            context
            for context in contexts(app.store, app.directories, app.settings.regions)
            if context.channel.id not in here and not context.site.is_simulated
        ]
        own += [each for context in own for each in self._beside(context)]
        homes = [context for context in own if is_trained_together(context)]
        are_trained = homes_training_is_due(app.store, homes, now=self._now(), every=every)
        if are_trained:
            self._guard(HOMES_RUN, partial(self._train_homes, homes))
        for context in own:
            wanted = own_rounds(app.store, app.registry, context, now=self._now(), every=every)
            channel = context.channel.id
            if wanted.trains and context not in homes:
                self._guard(f"train:{channel}", partial(self._train, context))
            if wanted.forecasts or (are_trained and context in homes and is_followed(app.store, context, self._now())):
                self._guard(f"{RUN_PREFIX}{channel}", partial(self._forecast, context))

    def _train_homes(self, homes: Sequence[Context]) -> None:
        """Train all homes together, in a process of its own."""

        def tell(step: str) -> None:
            self._log.info("training", homes=len(homes), step=step)

        verdict = self._trainings.run(ALL_HOMES, progress=tell)
        self._log.info("trained", homes=len(homes), verdict=verdict)
