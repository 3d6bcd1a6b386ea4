"""Answers about channels that are kept warm until something new is known of them."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from fastapi import Response

from watthour.api.schemas.base import Answer
from watthour.api.serving import Role
from watthour.api.state import State
from watthour.core.channel import Channel, Device, Site, Zone
from watthour.core.errors import ModelError
from watthour.core.forecast import Context
from watthour.core.ports import Store
from watthour.core.window import HOUR, Window, floor
from watthour.workflows.forecast import Served
from watthour.workflows.homes import devices_of, home_named, zones_of

_EVER = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
RUNS_LOOKED_AT = 8  # a run that took long ends after younger ones
_JUST_HEARD = timedelta(minutes=1)  # samples of which are looked at, to see that there are new ones
_INSTANT = timedelta(microseconds=1)

A = TypeVar("A", bound=Answer)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KnownHome:
    """A home with all that is described in it."""

    site: Site
    channels: tuple[Channel, ...]  # also those of the weather
    devices: tuple[Device, ...]
    zones: tuple[Zone, ...]


async def known_home(state: State, name: str) -> KnownHome:
    """Return the home with this id or name; the look into the store is kept as long as other state is.

    Raises:
        UnknownSite: there is no such home.
        InvalidInput: the site is a region.
    """
    store = state.app.store

    def find() -> KnownHome:
        site = home_named(store, name)
        channels = tuple(channel for channel in store.channels() if channel.site == site.id)
        return KnownHome(site, channels, tuple(devices_of(store, site)), tuple(zones_of(store, site)))

    return await state.warm.get(
        ("known_home", name), find, lifetime_s=state.limits.state_lifetime_s, state=n_told(state)
    )


async def warm_part_of_home(
    state: State,
    of: KnownHome,
    question: tuple[Hashable, ...],
    look: Callable[[], T],
    *,
    is_of_samples: bool = False,
) -> T:
    """Return what is kept of a home, unless a reading or a use came, or its description was changed, since.

    Args:
        state: of the application.
        of: the home.
        question: what is asked of it; its first word is the name under which ``/metrics`` counts it.
        look: makes the answer.
        is_of_samples: it is made from samples too.
    """
    return await warm_part(
        state,
        (),
        (*question, of.site.id),
        look,
        parts=[channel.id for channel in of.channels],
        logs=[device.id for device in of.devices],
        described=of,
        is_of_samples=is_of_samples,
    )


async def warm_answer(
    state: State,
    contexts: Sequence[Context],
    question: tuple[Hashable, ...],
    look: Callable[[], bytes],
    *,
    parts: Sequence[str] = (),
    logs: Sequence[str] = (),
) -> Response:
    """Answer from what is kept, unless new data, a new forecast or another champion came since; see ``warm_part``."""
    return json_of(await warm_part(state, contexts, question, look, parts=parts, logs=logs))


async def warm_part(  # noqa: PLR0913 - what an answer stands on, each by its name
    state: State,
    contexts: Sequence[Context],
    question: tuple[Hashable, ...],
    look: Callable[[], T],
    *,
    parts: Sequence[str] = (),
    logs: Sequence[str] = (),
    described: Hashable = None,
    is_of_samples: bool = False,
    lifetime_s: float | None = None,
) -> T:
    """Return what is kept of an answer, or of a part of one, unless something new is known since.

    Args:
        state: of the application.
        contexts: what the answer is about.
        question: what is asked of it; its first word is the name under which ``/metrics`` counts it.
        look: makes the answer.
        parts: ids of further channels that it is made from.
        logs: ids of devices from whose uses it is made.
        described: how they are described; the answer is dropped when that is changed.
        is_of_samples: it is made from samples too, so it is kept for a shorter time.
        lifetime_s: how long it is kept at most, where it tells no ages [s].
    """
    channels = tuple(dict.fromkeys([*(context.channel.id for context in contexts), *parts]))
    heard = channels if is_of_samples else ()
    epoch = await state.warm.get(
        ("epoch", channels, tuple(logs), is_of_samples),
        lambda: _epoch(state, contexts, channels, logs, heard),
        lifetime_s=state.limits.state_lifetime_s,  # of what other processes write
        state=n_told(state),  # what this one has acknowledged counts at once
    )
    return await state.warm.get(
        (channels, *question),
        look,
        lifetime_s=state.limits.samples_lifetime_s if is_of_samples else lifetime_s or state.limits.answer_lifetime_s,
        state=(epoch, described),
        name=str(question[0]),
    )


def n_told(state: State) -> Hashable:
    """Return what changes whenever this process has kept something new."""
    return getattr(state.app.store, "n_told", None)


def json_of(content: bytes) -> Response:
    """Answer with JSON that the caller may keep, but must ask for again."""
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-cache"})


def served_or_none(state: State, context: Context) -> Served | None:
    """Return the loaded model that answers; where it cannot be loaded, the forecast says why and what stands in."""
    try:
        return state.models.answering(Role(context, "forecast"), state.now())
    except ModelError:
        return None


def answer_bytes(schema: type[A], content: object) -> bytes:
    """Check an answer against its description and write it."""
    return schema.model_validate(content).model_dump_json().encode()


def _epoch(
    state: State, contexts: Sequence[Context], channels: Sequence[str], logs: Sequence[str], heard: Sequence[str]
) -> tuple[Hashable, ...]:
    """Return what changes whenever an answer could: newest readings, samples, runs and uses, champions, trials.

    All of it is asked of the store and the registry, so that what another process writes is seen as well.
    """
    runs, spans = state.app.store.runs(limit=RUNS_LOOKED_AT), state.app.store.spans()
    return (
        tuple((run.source, run.started_at, run.ended_at) for run in runs),
        tuple(spans.get(channel) for channel in channels),  # rows that are sent have no run
        _uses(state.app.store, logs),
        _samples(state.app.store, heard, state.now()),
        tuple(state.models.version(Role(context, "forecast")) for context in contexts),
        tuple(state.models.trial(Role(context, "forecast")) for context in contexts),
        floor(state.now(), min((HOUR, *(context.channel.resolution for context in contexts)))),
    )


def _uses(store: Store, devices: Sequence[str]) -> Hashable:
    """Return how many uses of devices are known and which was written last."""
    if not devices:
        return None
    known = store.events(devices, _EVER)
    return known.height, known["recorded_at"].max()


def _samples(store: Store, channels: Sequence[str], now: datetime) -> Hashable:
    """Return how many samples of the last minute are known and which is the newest."""
    if not channels:
        return None
    known = store.samples(channels, Window(now - _JUST_HEARD, now + _INSTANT))
    return known.height, known["time"].max()
