"""The plan of a home: made by what is known, kept while it is in force, changed by what a person decides."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from watthour.core.errors import InvalidInput, NoPlanFound, NotEnoughHistory, PlanImpossible, UnknownName
from watthour.core.lock import locked
from watthour.core.names import id_for, spelt
from watthour.core.plan import Weights
from watthour.core.window import DAY, EPOCH, HOUR, Window
from watthour.planning.at_once import at_once
from watthour.planning.solve import TIME_LIMIT_S
from watthour.workflows.equipment import LEAST_HOURS, MOST_HOURS, HomeAppliance, HomeCar, equipment_of
from watthour.workflows.home_ahead import Sources, first_step, look_at_home
from watthour.workflows.home_plan_content import plan_content
from watthour.workflows.home_problem import MadePlan, known_plan, problem_of_home
from watthour.workflows.home_state import standings
from watthour.workflows.kept_tariffs import tariff_of, terms_entry
from watthour.workflows.plan import make_plan
from watthour.workflows.wishes import Change, changes_of, requested, wishes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from watthour.core.channel import Site
    from watthour.core.ports import KeptPlan
    from watthour.workflows.equipment import Equipment, EquipmentFile
    from watthour.workflows.home_ahead import HomeAhead
    from watthour.workflows.home_state import Standing

AGAIN_AFTER = timedelta(minutes=30)  # that a plan is made anew
_STALE = timedelta(hours=2)  # as where nothing has run since: who asks then waits for a new one
_LOOK_AGAIN_AFTER = timedelta(minutes=2)
_INSTANT = timedelta(microseconds=1)
_FORGOTTEN_AFTER = 2 * DAY  # what a person changed of a run that is over
_FURTHEST = 14 * DAY  # from now, that a time a person says may be
_CLOCK_SLACK = timedelta(minutes=1)  # plans of one instant follow each other by microseconds
_CLOCK_AHEAD = 2 * DAY  # in which plans are removed that a clock made that was ahead
Decision = Literal["accept", "skip", "undo"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants otherwise in the plan that is made now; None: as before, or as the equipment says."""

    hours: int | None = None
    weights: Weights | None = None
    changes: tuple[Asking, ...] = ()
    with_choices: bool = False
    keep: bool = True
    decided: tuple[str, Decision] | None = None  # of the run with this id


@dataclass(frozen=True, slots=True)
class Asking:
    """Another wish for one run: by its id, or by the name of its thing, which means the next."""

    name: str
    earliest: datetime | None = None
    deadline: datetime | None = None
    skip: bool | None = None


@dataclass(frozen=True, slots=True)
class HomePlanner:
    """Who makes and keeps the plans of homes.

    Args:
        sources: what is known.
        equipment_file: what homes have.
        folder: holds the locks by which two processes do not plan one home at once.
    """

    sources: Sources
    equipment_file: EquipmentFile
    folder: Path
    _looked: dict[str, tuple[object, HomeAhead]] = field(default_factory=dict, compare=False)  # by home

    def is_possible(self, home: Site, *, now: datetime) -> bool:
        """Tell whether a home has what a plan needs: a tariff that holds now, and equipment."""
        has_tariff = self.sources.tariffs.term_at(home.id, now) is not None
        return has_tariff and self.equipment_file.said(home.id) is not None

    def in_force(self, home: Site, *, now: datetime) -> Mapping[str, Any] | None:
        """Return the plan in force; None: none was made yet, or by another tariff or equipment."""
        kept = self._latest(home, now)
        if kept is None or kept.content["basis"]["made_by"] != self._basis(home):
            return None
        return kept.content

    def current(self, home: Site, *, now: datetime, time_limit_s: float = TIME_LIMIT_S) -> Mapping[str, Any]:
        """Return the plan in force; where there is none, or it was not made anew for hours, one is made.

        Raises:
            UnknownName: the home has no tariff or no equipment.
            NotEnoughHistory: no price of the hours ahead is known.
            PlanImpossible: wishes contradict each other.
            NoPlanFound: none was found in time.
        """
        equipment_of(self.equipment_file, home)
        tariff_of(self.sources.tariffs, home, now)
        content = self.in_force(home, now=now)
        if content is None or datetime.fromisoformat(content["time"][-1]) <= now:
            return self.plan(home, Asked(), now=now, time_limit_s=time_limit_s)
        if now - datetime.fromisoformat(content["made_at"]) < _STALE:
            return content
        try:
            return self.plan(home, Asked(), now=now, time_limit_s=time_limit_s)
        except (NotEnoughHistory, PlanImpossible, NoPlanFound):
            return content  # with its age; the rounds say why there is no newer one

    def is_due(self, home: Site, *, now: datetime) -> bool:
        """Tell whether a plan is to be made: there is none of this tariff and equipment, or it is half an hour old."""
        content = self.in_force(home, now=now)
        return content is None or now - datetime.fromisoformat(content["made_at"]) >= AGAIN_AFTER

    def plan(self, home: Site, asked: Asked, *, now: datetime, time_limit_s: float = TIME_LIMIT_S) -> Mapping[str, Any]:
        """Make a plan by what is known now; unless it is only to be shown, it is the one in force.

        The runs of the plan in force stay where they are while a new plan is not better by more than the gain that the
        equipment names, both by the new figures. What has begun stays.

        Raises:
            as of ``current``, and InvalidInput: something asked for cannot be.
        """
        with locked(self.folder / f"plan_{home.id}.lock"):
            kept = self._latest(home, now)
            before = None if kept is None else kept.content
            made = self._made(home, asked, before, now, time_limit_s)
            content = plan_content(made)
            if asked.keep:
                is_same = before is not None and _runs_of(before) == _runs_of(content)
                last = now - _INSTANT if kept is None else kept.made_at
                since = last if is_same else max(now, last + _INSTANT)  # several may be made at one instant
                self._forget_later(home, now)
                self.sources.store.keep_plan(home.id, since, content)
            return content

    def decide(
        self, home: Site, run: str, decision: Decision, *, now: datetime, time_limit_s: float = TIME_LIMIT_S
    ) -> Mapping[str, Any]:
        """Keep what a person decides about a run, and plan the rest anew.

        Raises:
            UnknownName: the plan in force has no such run.
            InvalidInput: it has begun, or is over; or as of ``plan``.
        """
        self.current(home, now=now, time_limit_s=time_limit_s)
        return self.plan(home, Asked(decided=(run, decision)), now=now, time_limit_s=time_limit_s)

    def _latest(self, home: Site, now: datetime) -> KeptPlan | None:
        """Return the plan that was made last, without those that a clock made that was ahead."""
        kept = self.sources.store.plans(home.id, Window(EPOCH, now + _CLOCK_SLACK), limit=1)
        return kept[0] if kept else None

    def _forget_later(self, home: Site, now: datetime) -> None:
        """Forget the plans of the days ahead, which a clock made that was ahead; they were never in force."""
        ahead = Window(now + _CLOCK_SLACK, now + _CLOCK_AHEAD)
        if self.sources.store.plans(home.id, ahead, limit=1):
            self.sources.store.forget_plans(home.id, ahead)

    def _made(
        self, home: Site, asked: Asked, before: Mapping[str, Any] | None, now: datetime, time_limit_s: float
    ) -> MadePlan:
        equipment, zone = equipment_of(self.equipment_file, home), home.place.time_zone
        basis = self._basis(home)
        is_same_basis = before is not None and before["basis"]["made_by"] == basis
        hours = equipment.hours if asked.hours is None else asked.hours
        if not LEAST_HOURS <= hours <= MOST_HOURS:
            remedy = f"Ask for {LEAST_HOURS} to {MOST_HOURS}."
            raise InvalidInput("hours", hours, "a plan is not that long", remedy=remedy)
        own = asked.weights or (own_weights_of(before) if before is not None and is_same_basis else None)
        weights = own or equipment.weights
        ahead = self._ahead(home, equipment, hours, basis, now)
        changes = {} if before is None else _still_kept(changes_of(before), now)
        store, start = self.sources.store, first_step(now)
        until = max(ahead.window.end, now + HOUR)
        known: list[Standing] = []
        if asked.decided or asked.changes:
            wished = wishes(equipment, changes, zone, now=now, until=until)
            known = standings(store, home, wished, before, start=start, now=now)
        if asked.decided:
            changes |= _with_decided(*asked.decided, before, known, now)
        changes, insisted = _with_asked(asked.changes, changes, known, equipment, zone, now)
        wished = wishes(equipment, changes, zone, now=now, until=until)
        standing = standings(store, home, wished, before, start=start, now=now)
        same = before if is_same_basis else None
        problem = problem_of_home(store, home, equipment, ahead, standing, weights, before=same, insisted=insisted)
        with_choices = asked.with_choices and ahead.carbon is not None
        remarks: tuple[str, ...] = ()
        if asked.with_choices and not with_choices:
            remarks = ("There are no choices between cheap and clean, as the carbon of the hours ahead is not known.",)
        planned = make_plan(
            problem.problem,
            with_choices=with_choices,
            time_limit_s=time_limit_s,
            currency=ahead.currency,
            known=known_plan(problem, before if not (asked.weights or asked.changes) else None),
            min_gain=equipment.gain,
        )
        simple = at_once(problem.free)
        return MadePlan(
            home, ahead.currency, now, weights, ahead, problem, planned, standing, simple, changes, own, basis, remarks
        )

    def _ahead(self, home: Site, equipment: Equipment, hours: int, basis: str, now: datetime) -> HomeAhead:
        """Return what is foreseen; for two minutes the same, so that one change after the other is planned at once."""
        mark = (first_step(now), hours, basis)
        kept = self._looked.get(home.id)
        if kept is None or kept[0] != mark or not timedelta() <= now - kept[1].now < _LOOK_AGAIN_AFTER:
            kept = self._looked[home.id] = (mark, look_at_home(self.sources, home, equipment, hours=hours, now=now))
        return replace(kept[1], remarks=list(kept[1].remarks), assumed=set())

    def _basis(self, home: Site) -> str:
        """Return a mark that changes with the tariff or the equipment of a home."""
        terms = [terms_entry(each) for each in self.sources.tariffs.terms(home.id)]
        said = [terms, self.equipment_file.said(home.id)]
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def own_weights_of(content: Mapping[str, Any]) -> Weights | None:
    """Return the weights that a person has said beside those of the equipment."""
    said = content["basis"]["own_weights"]
    return None if said is None else Weights(**said)


def _still_kept(changes: Mapping[str, Change], now: datetime) -> dict[str, Change]:
    """Return the changes without those of runs that are long over."""
    last = (now - _FORGOTTEN_AFTER).strftime("%Y%m%d")
    return {name: change for name, change in changes.items() if name.rsplit("-", 2)[1] >= last}


def _has_begun(standing: Standing) -> bool:
    """Tell whether a run has begun or is over: then it may not be changed any more."""
    return standing.state in ("running", "done")


def _with_decided(
    run: str, decision: Decision, before: Mapping[str, Any] | None, known: Sequence[Standing], now: datetime
) -> dict[str, Change]:
    """Return what is kept of a run by what a person decides of it.

    Raises:
        UnknownName: the plan in force has no such run.
        InvalidInput: it has begun, or is over.
    """
    runs = [] if before is None else before["runs"]
    found = next((each for each in runs if each["id"] == run), None)
    if before is None or found is None:
        listed = ", ".join(each["id"] for each in runs) or "none"
        raise UnknownName("run", run, "the plan has no such run", remedy=f"It has: {listed}.")
    standing = next((each for each in known if each.wish.id == run), None)
    if datetime.fromisoformat(found["deadline"]) <= now if standing is None else _has_begun(standing):
        remedy = "Wait for its next run."
        raise InvalidInput("decision", decision, f"{found['name']} has begun already", remedy=remedy)
    if decision == "accept" and found["start"] is None:
        problem = f"{found['name']} is not planned, so there is no time to accept"
        raise InvalidInput("decision", decision, problem, remedy="Undo that it is skipped, or change its deadline.")
    was = replace(changes_of(before).get(run, Change()), is_accepted=False, is_skipped=False, start=None)
    if decision == "accept":
        was = replace(was, is_accepted=True, start=datetime.fromisoformat(found["start"]))
    elif decision == "skip":
        was = replace(was, is_skipped=True)
    return {run: was}


def _with_asked(
    asked: Sequence[Asking],
    changes: Mapping[str, Change],
    known: Sequence[Standing],
    equipment: Equipment,
    zone: str,
    now: datetime,
) -> tuple[dict[str, Change], set[str]]:
    """Return the changes with those that are asked for now, and the ids of the runs these are of.

    Raises:
        UnknownName: there is no such run or thing.
        InvalidInput: it cannot be.
    """
    found, insisted = dict(changes), set[str]()
    for each in asked:
        _check_times(each, now)
        name = _run_meant(each, found, known, equipment, zone, now)
        was = found.get(name, Change())
        earliest, deadline = each.earliest or was.earliest, each.deadline or was.deadline
        is_skipped = (was.is_skipped and not was.is_asked_for) if each.skip is None else each.skip
        is_moved = each.earliest is not None or each.deadline is not None
        found[name] = replace(
            was,
            earliest=earliest,
            deadline=deadline,
            is_skipped=is_skipped,
            is_accepted=was.is_accepted and not is_moved and not is_skipped,
            start=None if is_moved or is_skipped else was.start,
        )
        if not is_skipped:
            insisted.add(name)
    return found, insisted


def _check_times(each: Asking, now: datetime) -> None:
    """Refuse times that no plan of the days ahead can hold."""
    for name, instant in (("earliest", each.earliest), ("deadline", each.deadline)):
        if instant is not None and abs(instant - now) > _FURTHEST:
            problem = f"it is more than {_FURTHEST.days} days from now"
            cure = "Choose a time of the days ahead."
            raise InvalidInput(f"changes.{each.name}.{name}", instant.isoformat(), problem, remedy=cure)
    if each.deadline is not None and each.deadline <= now:
        remedy = "Choose a later deadline."
        raise InvalidInput(f"changes.{each.name}.deadline", each.deadline.isoformat(), "it is past", remedy=remedy)


def _run_meant(
    each: Asking,
    changes: dict[str, Change],
    known: Sequence[Standing],
    equipment: Equipment,
    zone: str,
    now: datetime,
) -> str:
    """Return the id of the run that is meant; an appliance on request gets a run, if none is ahead."""
    mine = [one for one in known if each.name == one.wish.id or spelt(each.name) == spelt(one.wish.thing.name)]
    open_ones = [one for one in mine if not _has_begun(one) or (isinstance(one.wish.thing, HomeCar) and not each.skip)]
    if open_ones:
        return open_ones[0].wish.id
    thing = next((one for one in equipment.appliances if spelt(one.name) == spelt(each.name)), None)
    if isinstance(thing, HomeAppliance) and thing.on_request and not each.skip:
        name, change = requested(thing, changes, each.earliest or now, each.deadline, zone)
        changes[name] = change
        return name
    if mine:
        problem, remedy = f"{mine[0].wish.thing.name} has begun already", "Wait for its next run."
        raise InvalidInput("changes.name", each.name, problem, remedy=remedy)
    listed = ", ".join(dict.fromkeys(one.wish.thing.name for one in known)) or "nothing"
    things = ", ".join(one.name for one in equipment.things if id_for(one.name))
    problem = "no run of this name is ahead" if thing else "the plan knows no run and no thing of this name"
    raise UnknownName("changes.name", each.name, problem, remedy=f"Ahead are: {listed}. There are: {things}.")


def _runs_of(content: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Return what makes one plan another: which runs there are, when they are, and what was decided of them."""
    decided = ("accepted", "skipped")
    return [
        (each["id"], each["start"], each["end"], each["state"] if each["state"] in decided else None)
        for each in content["runs"]
        if each["kind"] == "appliance"
    ] + [(each["id"], each["state"] == "skipped") for each in content["runs"] if each["kind"] == "car"]
