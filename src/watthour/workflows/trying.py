"""A source is tried before it is added: connected for a moment, and told in words what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from watthour.core.errors import NotConfigured, SourceError
from watthour.core.ports import Archive
from watthour.workflows.listening import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from watthour.core.heard import LineState
    from watthour.core.ports import Store, Subscription
    from watthour.workflows.links import Links
    from watthour.workflows.listening import Found

LOOK_S = 0.1
LONGEST_END_S = 1.0  # a line that does not end at once is left behind
NAMED = 3  # devices that are named in the sentence


class Asked(Protocol):
    """A source that can be asked for as little as shows that address and key are right."""

    def probe(self, *, now: datetime) -> None:
        """Raise what is wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial of a source has shown."""

    works: bool
    words: str  # what was seen, in a sentence
    remedy: str | None = None  # what to do where it does not work, or where nothing was heard yet
    found: tuple[Found, ...] = ()  # the things that spoke, with their values
    field: str | None = None  # the setting to blame where it does not work and that is known


def try_line(store: Store, links: Links, line: Subscription, *, seconds: float, n_devices: int | None = None) -> Tried:
    """Listen for a while and tell what was heard; nothing is kept.

    Args:
        store: of which only what links need is read.
        links: to know things that are added already.
        line: not begun yet.
        seconds: how long at most.
        n_devices: how many are asked; None: a broker, where nobody knows how many there are, or an archive.
    """
    is_archive = isinstance(line, Archive)
    n_answers = 1 if is_archive else n_devices
    listener = Listener(store, [line], links, is_only_looking=True)
    listener.start()
    ends_at = monotonic() + seconds
    pause = Event()
    while monotonic() < ends_at and not _is_settled(line.state, n_answers):
        pause.wait(LOOK_S)
    state = line.state
    found = tuple(each for each in listener.found() if each.values)
    listener.stop(longest_s=LONGEST_END_S)
    if is_archive and state.n_messages:
        return _recorded(found)
    return _told(state, found, seconds, is_broker=n_answers is None)


def try_asking(open_source: Callable[[], Asked], *, now: datetime) -> Tried:
    """Ask a provider for as little as shows that it accepts us."""
    try:
        open_source().probe(now=now)
    except NotConfigured as error:
        return Tried(works=False, words=_sentence(error.problem.partition(": ")[2]), remedy=error.remedy)
    except SourceError as error:
        return Tried(works=False, words=_sentence(error.problem), remedy=error.remedy, field=error.option)
    return Tried(works=True, words="It answers and accepts the key.")


def _is_settled(state: LineState, n_answers: int | None) -> bool:
    if state.problem is not None:
        return True
    return n_answers is not None and state.n_messages >= n_answers


def _told(state: LineState, found: Sequence[Found], seconds: float, *, is_broker: bool) -> Tried:
    if (words := state.sentence) is not None:
        words = f"{words} {_speaking(found)}" if found else words
        return Tried(works=False, words=words, remedy=state.remedy, field=state.option)
    if found:
        return Tried(works=True, words=_speaking(found), found=tuple(found))
    if not is_broker and state.n_messages:
        remedy = "Choose a device that measures power or energy; of others nothing can be kept."
        if state.n_faults:
            remedy = "Look at its own page or app whether its values are right; if they are, report it."
        words = "It answers, but tells no power and no energy"
        return Tried(works=False, words=f"{words} that can be read." if state.n_faults else f"{words}.", remedy=remedy)
    if not is_broker or not state.is_connected:
        remedy = "Check its address and that it has power, then test again."
        return Tried(works=False, words=f"It did not answer within {seconds:g} seconds.", remedy=remedy)
    n_faults = f" {state.n_faults} messages could not be read." if state.n_faults else ""
    return Tried(
        works=True,
        words=f"The broker answers. No device spoke within {seconds:g} seconds.{n_faults}",
        remedy="Devices that tell changes alone may need longer: switch one on, and test again.",
    )


def _recorded(found: Sequence[Found]) -> Tried:
    """Say what somebody has recorded.

    >>> from watthour.core.heard import Thing
    >>> from watthour.workflows.listening import Found
    >>> meter = Thing("home_assistant/sensor.p1", "home_assistant/sensor.p1", "P1", is_grid_meter=True)
    >>> _recorded([Found(meter, "home_assistant")]).words
    "It answers: 1 sensor is recorded there, the grid's meter is sensor.p1."
    """
    if not found:
        words = "It answers, and has recorded no power, energy, temperature, humidity or presence in the last two days."
        return Tried(works=True, words=words, remedy="Let it record sensors of these, then test again.")
    count = "1 sensor is recorded" if len(found) == 1 else f"{len(found)} sensors are recorded"
    meters = [each.thing.key.partition("/")[2] for each in found if each.thing.is_grid_meter]
    if not meters:
        remedy = "Nothing there says which one is the grid's meter: choose it after adding."
        return Tried(works=True, words=f"It answers: {count} there.", remedy=remedy, found=tuple(found))
    if len(meters) == 1:
        words = f"It answers: {count} there, the grid's meter is {meters[0]}."
        return Tried(works=True, words=words, found=tuple(found))
    remedy = (
        "Each of the grid's meters counts a part, such as one tariff, so none alone measures the whole home. A "
        "template sensor that adds them (state class total_increasing) does, from the day on which it is made."
    )
    words = f"It answers: {count} there, the grid's meters are {', '.join(meters)}."
    return Tried(works=True, words=words, remedy=remedy, found=tuple(found))


def _speaking(found: Sequence[Found]) -> str:
    """Say who speaks.

    >>> from watthour.core.heard import Thing
    >>> from watthour.workflows.listening import Found
    >>> _speaking([Found(Thing("shelly/a/switch:0", "shelly/a", "Plug"), "mqtt")])
    '1 device speaks here: Plug.'
    """
    names: dict[str, str] = {}
    for each in sorted(found, key=lambda one: len(one.thing.name)):  # parts of a device have longer names than it
        names.setdefault(each.thing.device, each.thing.name)
    count = "1 device speaks" if len(names) == 1 else f"{len(names)} devices speak"
    listed = ", ".join(list(names.values())[:NAMED])
    return f"{count} here: {listed}{' and others' if len(names) > NAMED else ''}."


def _sentence(problem: str) -> str:
    text = problem.rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
