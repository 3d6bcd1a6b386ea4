"""Devices in the home's own network that are asked every few seconds, as the push sources tell by themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

import structlog
from pydantic import Field, field_validator

from watthour.core.errors import PayloadChanged, SourceError, SourceRejected, SourceUnavailable, WatthourError
from watthour.core.heard import Heard, LineState
from watthour.sources.http import AnswerLimits, HttpClient, RetryPolicy
from watthour.sources.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

_ONCE = RetryPolicy(attempts=1)
_SMALL = AnswerLimits(deadline=10.0, most_bytes=256 * 1024)
_TIMEOUT_S = 5.0
_REST_S = 60.0  # one that does not answer is asked so often
_PATIENCE_S = 15.0  # a whole turn of one that answers takes at most that long
_LOOK_S = 0.2


class PolledOptions(Options):
    """The block of devices that are asked."""

    hosts: tuple[str, ...] = ()  # names or addresses in the home's network, perhaps with a port
    every_s: float = Field(default=10.0, ge=1.0, le=3600.0)

    @field_validator("hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(host.strip() for host in value.split(",") if host.strip()) if isinstance(value, str) else value

    @field_validator("hosts", mode="after")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not host or any(letter in host for letter in "/@?# "):
                message = f"{host!r} is no name or address of a device, such as 192.168.1.20"
                raise ValueError(message)
        return value


class Asked(Protocol):
    """A device that can be asked."""

    def ask(self, now: datetime) -> Heard:
        """Return what it tells now; raises SourceError where it cannot."""
        ...


@dataclass(slots=True)
class _Turn:
    """When a device is asked next, since when it is being asked, and whether it answered the last time."""

    device: Asked
    host: str
    due_at: float = field(default_factory=monotonic)
    asked_at: float | None = None  # None: it is not being asked
    problem: SourceError | None = None


class Polled:
    """Devices of one make, each asked in a thread of its own: one that does not answer holds up nobody."""

    def __init__(
        self,
        name: str,
        devices: Sequence[tuple[str, Asked]],
        every: timedelta,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """Prepare to ask.

        Args:
            name: of the source.
            devices: with their hosts.
            every: how often each is asked.
            clock: tells the present.
            patience_s: a device that is asked for longer is said not to answer, whatever it hangs on. [s]
        """
        self.name = name
        self._turns = [_Turn(device, host) for host, device in devices]
        self._every_s = every.total_seconds()
        self._now = clock
        self._patience_s = patience_s
        self._state = LineState(name)
        self._lock = Lock()  # guards the state and the turns
        self._keeping = Lock()  # what devices tell is handed over one after another
        self._log = structlog.get_logger(f"watthour.{name}")

    @property
    def state(self) -> LineState:
        """How the devices answer: connected while at least one does, with the problem of those that do not."""
        return self._state

    def listen(self, take: Callable[[Heard], None], stopping: Event) -> None:
        """Ask each device every so often until ``stopping`` is set, and hand over what it tells.

        A device that is being asked then is not waited for; what it still tells is not handed over.
        """
        for turn in self._turns:
            name = f"watthour-ask-{self.name}-{turn.host}"
            Thread(target=self._ask_often, args=(turn, take, stopping), name=name, daemon=True).start()
        while not stopping.wait(_LOOK_S):
            self._note_late()
        with self._keeping:  # nothing is being handed over any more
            return

    def _ask_often(self, turn: _Turn, take: Callable[[Heard], None], stopping: Event) -> None:
        while not stopping.is_set():
            if turn.due_at > monotonic():
                stopping.wait(max(0.0, min(_LOOK_S, turn.due_at - monotonic())))
                continue
            turn.asked_at = monotonic()
            turn.due_at = turn.asked_at + self._every_s
            try:
                heard = self._asked(turn)
            except SourceError as error:
                turn.due_at = monotonic() + max(self._every_s, _REST_S)
                self._note_failure(turn, error)
            except Exception as error:  # noqa: BLE001 - whatever an answer makes our reading do ends this turn alone
                self._log.exception("asking_failed", host=turn.host)
                problem = f"the answer of {turn.host} could not be read ({type(error).__name__}: {error})"
                self._note_failure(turn, PayloadChanged(self.name, problem, remedy="Update Watthour or report it."))
            else:
                self._note_answer(turn)
                with self._keeping:
                    if not stopping.is_set():
                        self._keep(take, heard)

    def _asked(self, turn: _Turn) -> Heard:
        try:
            return turn.device.ask(self._now())
        finally:
            turn.asked_at = None

    def _keep(self, take: Callable[[Heard], None], heard: Heard) -> None:
        """Hand over; what cannot be kept is lost, and the device is asked again."""
        try:
            take(heard)
        except WatthourError as error:
            self._log.warning("not_kept", problem=error.problem, remedy=error.remedy)
            with self._lock:
                self._state = replace(self._state, problem=error.problem, remedy=error.remedy, option=None)
        else:
            with self._lock:
                state = self._state
                self._state = replace(
                    state,
                    last_heard_at=self._now(),
                    n_messages=state.n_messages + 1,
                    n_faults=state.n_faults + len(heard.faults),
                )

    def _note_late(self) -> None:
        """Note devices that have been asked for too long, such as where the name server does not answer."""
        for turn in self._turns:
            asked_at = turn.asked_at
            if asked_at is not None and turn.problem is None and monotonic() - asked_at > self._patience_s:
                problem = f"{turn.host}: no answer within {self._patience_s:g} s"
                remedy = "Check that the device has power, and give its address in place of its name."
                self._note_failure(turn, SourceUnavailable(self.name, problem, remedy=remedy, option="hosts"))

    def _note_failure(self, turn: _Turn, error: SourceError) -> None:
        if turn.problem is None:
            self._log.warning("not_answered", host=turn.host, problem=error.problem, remedy=error.remedy)
        with self._lock:
            turn.problem = error
            self._update()

    def _note_answer(self, turn: _Turn) -> None:
        if turn.problem is not None:
            self._log.info("answers_again", host=turn.host)
        with self._lock:
            turn.problem = None
            self._update(has_answered=True)

    def _update(self, *, has_answered: bool = False) -> None:
        failing = [turn.problem for turn in self._turns if turn.problem is not None]
        state = self._state
        problem = failing[0].problem if failing else None
        if len(failing) > 1:
            problem = f"{problem}; {len(failing)} of {len(self._turns)} devices do not answer"
        self._state = replace(
            state,
            is_connected=(has_answered or state.is_connected) and len(failing) < len(self._turns),
            connected_at=self._now() if has_answered and not state.is_connected else state.connected_at,
            problem=problem,
            remedy=failing[0].remedy if failing else None,
            option=failing[0].option if failing else None,
        )


_Identity = TypeVar("_Identity")


@dataclass(slots=True)
class HttpDevice(ABC, Generic[_Identity]):
    """One device at its address; each make says what it is asked. A turn asks once: the next one comes soon."""

    source: ClassVar[str]
    cure_of_refusal: ClassVar[str]  # what a person does where it lets nobody ask

    host: str
    every: timedelta
    client: HttpClient = field(init=False)
    _identity: _Identity | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        url = f"http://{_bracketed(self.host)}"
        self.client = HttpClient(self.source, url, retry=_ONCE, timeout=_TIMEOUT_S, limits=_SMALL)

    def ask(self, now: datetime) -> Heard:
        """Return what it tells.

        Raises:
            SourceUnavailable: it does not answer.
            SourceRejected: it lets nobody ask.
            PayloadChanged: it answers in another form.
        """
        try:
            if self._identity is None:
                self._identity = self._who()
            return self._tell(self._identity, now)
        except SourceUnavailable as error:
            self._identity = None  # another device may come to have the address
            remedy = "Check that the device has power, and that its address (hosts) is right."
            raise SourceUnavailable(self.source, self._at_host(error), remedy=remedy, option="hosts") from None
        except SourceRejected as error:
            raise SourceRejected(
                self.source, self._at_host(error), remedy=self.cure_of_refusal, option="hosts"
            ) from None

    @abstractmethod
    def _who(self) -> _Identity:
        """Return which device it is."""

    @abstractmethod
    def _tell(self, identity: _Identity, now: datetime) -> Heard:
        """Return what it tells now."""

    def _at_host(self, error: SourceError) -> str:
        return f"{self.host}: {error.problem.removeprefix(f'{self.source}: ')}"


def open_devices(options: PolledOptions, make: type[HttpDevice[_Identity]]) -> Polled | None:
    """Return the devices that the settings name, not asked yet; None where they name none."""
    if not options.hosts or not options.enabled:
        return None
    every = timedelta(seconds=options.every_s)
    return Polled(make.source, [(host, make(host, every)) for host in options.hosts], every)


def _bracketed(host: str) -> str:
    try:
        return f"[{host}]" if ip_address(host).version == 6 else host  # noqa: PLR2004 - IPv6
    except ValueError:
        return host
