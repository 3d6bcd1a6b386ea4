"""The one HTTP client of all connectors: rate limit, retries, and whose fault an answer is.

Only what can heal by itself is asked again: a server's fault, a limit, a broken connection, an answer cut short.
Secrets travel in headers, in an address only where a provider takes them nowhere else, and are struck out of every
message and of every answer, before anything reads it: whoever repeats a key in an answer puts it into nothing we keep.
"""

from __future__ import annotations

import json
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from html import escape
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import httpx2
import stamina

from watthour.core.deadline import Deadline
from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from watthour.core.errors import SourceError

_Content = TypeVar("_Content")

_LONGEST_REASON = 300  # [characters] of a provider's own words shown to a person
_BUSY = frozenset({408, 425, 429})
_NO_LOGIN = 401
_NOT_ALLOWED = frozenset({_NO_LOGIN, 403})
_MISSING = 404
_SERVER_FAULT = 500
_MOVED = 300
_REFUSED = 400
MINUTE = 60.0  # [s]
HOUR_S = 3600.0
_STRUCK_OUT = "***"
_CODINGS = frozenset({"content-encoding", "transfer-encoding", "content-length"})  # undone when an answer is read


class RateLimit:
    """At most so many requests a second, over all threads that share it."""

    def __init__(
        self, per_second: float, *, clock: Callable[[], float] = monotonic, pause: Callable[[float], None] = sleep
    ) -> None:
        self._gap = 1.0 / per_second  # [s]
        self._clock = clock
        self._pause = pause
        self._next = float("-inf")
        self._lock = Lock()

    def wait(self, cost: float = 1.0) -> None:
        """Return when a request may go out that counts as ``cost`` usual ones."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._gap * cost
        if turn > now:
            self._pause(turn - now)


class CallBudget(RateLimit):
    """At most so many requests in any hour, over all threads that share it; one more is refused at once.

    Args:
        source: the provider's name in errors.
        per_hour: the budget.
        option: the setting that raises it.
        clock: tells seconds.
    """

    def __init__(self, source: str, per_hour: int, *, option: str, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(10.0, clock=clock)
        self._source, self._option, self._per_hour = source, option, per_hour
        self._spent: deque[float] = deque()
        self._counting = Lock()

    @property
    def n_spent(self) -> int:
        """Requests of the last hour."""
        with self._counting:
            self._forget()
            return len(self._spent)

    def wait(self, cost: float = 1.0) -> None:
        """Count a request, and return when it may go out.

        Raises:
            SourceUnavailable: the budget of this hour is used up.
        """
        with self._counting:
            self._forget()
            if len(self._spent) >= self._per_hour:
                left = self._spent[0] + HOUR_S - self._clock()
                problem = f"the budget of {self._per_hour} requests an hour is used up"
                raise SourceUnavailable(self._source, problem, remedy=f"{_when(left)[:-1]}, or raise {self._option}.")
            self._spent.append(self._clock())
        super().wait(cost)

    def _forget(self) -> None:
        while self._spent and self._spent[0] <= self._clock() - HOUR_S:
            self._spent.popleft()


class Bearer:
    """A token by which requests are let in: asked for when it is needed, renewed before it ends, or once refused.

    Args:
        log_in: asks for a token; raises SourceError.
        lifetime_s: how long a token is used. [s]
        clock: tells seconds.
    """

    def __init__(self, log_in: Callable[[], str], *, lifetime_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._log_in, self._lifetime_s, self._clock = log_in, lifetime_s, clock
        self._lock = Lock()  # who comes while another logs in waits, and has the same token
        self._token, self._ends = "", float("-inf")

    def token(self) -> str:
        """Return a token that should be let in.

        Raises:
            SourceError: the login failed.
        """
        with self._lock:
            if self._clock() >= self._ends:
                self._token = self._log_in()
                self._ends = self._clock() + self._lifetime_s
            return self._token

    def refused(self, token: str) -> None:
        """Forget a token that was not let in, unless another has taken its place meanwhile."""
        with self._lock:
            if token == self._token:
                self._ends = float("-inf")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token, if there is one."""
        return (self._token,) if self._token else ()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to ask again before giving up."""

    attempts: int = 4
    first_wait: float = 1.0  # [s] doubles with each attempt, plus jitter of up to as much
    longest_wait: float = 65.0  # [s] who tells us to wait longer is asked another time
    timeout: float = 240.0  # [s]


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """How long a whole answer may take, however steadily its bytes come, and how large it may be."""

    deadline: float = 90.0  # [s]
    most_bytes: int = 256 * 1024 * 1024  # unpacked; the largest known, a six-month file of EIA's, has 40 MB


def reason_in(body: object) -> str | None:
    """Return the provider's own words on what went wrong, wherever it puts them.

    >>> reason_in({"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key was supplied."}})
    'An invalid api_key was supplied.'
    >>> reason_in({"error": "not found", "code": 404})
    'not found'
    >>> reason_in({"error": True, "reason": "Latitude must be in range"})
    'Latitude must be in range'
    """
    if not isinstance(body, dict):
        return None
    for key in ("reason", "message", "detail", "error"):
        said = body.get(key)
        if isinstance(said, dict):
            said = reason_in(said) or said.get("code")
        if isinstance(said, str) and said.strip():
            return said.strip()
    return None


def _no_particular_wait(_status: int, _reason: str) -> float | None:
    return None


@dataclass(frozen=True, slots=True)
class ProviderQuirks:
    """What is particular to one provider."""

    key_remedy: str = "Check with the provider what you are allowed to ask."
    secrets: tuple[str, ...] = field(default=(), repr=False)  # struck out of every message and answer
    wait: Callable[[int, str], float | None] = _no_particular_wait  # [s] told by a status and a reason, if at all
    bearer: Bearer | None = None  # where a login goes before each request
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # added to every request, such as a token
    bans: bool = False  # who asks again before a limit has passed is kept out for longer


class _TransientFault(Exception):
    """A fault that may heal; free of addresses and headers, because retries are logged."""

    def __init__(self, problem: str, *, wait: float | None = None) -> None:
        self.problem = problem
        self.wait = wait
        super().__init__(problem)


class HttpClient:
    """One provider's HTTP address; shared by all sites that ask there, so that they share its rate limit."""

    def __init__(
        self,
        source: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        rate_limit: RateLimit | None = None,
        retry: RetryPolicy | None = None,
        quirks: ProviderQuirks | None = None,
        timeout: float = 60.0,
        limits: AnswerLimits | None = None,
    ) -> None:
        """Prepare to ask; nothing is opened yet.

        Args:
            source: the provider's name in errors.
            base_url: what every path is added to.
            headers: sent with each request; the place for a key.
            rate_limit: how often to ask at most.
            retry: how often to ask again.
            quirks: what is particular to this provider.
            timeout: for an answer to begin, or to go on. [s]
            limits: how long and how large a whole answer may be.
        """
        self.source = source
        self._base_url = base_url.rstrip("/")
        self._headers = {"User-Agent": "watthour", **(headers or {})}
        self._rate_limit = rate_limit
        self._retry = retry or RetryPolicy()
        self._quirks = quirks or ProviderQuirks()
        self._timeout = timeout
        self._limits = limits or AnswerLimits()
        self.on_answer: Callable[[str, bytes], None] | None = None  # told of each good answer's path and content
        self._banned_until = float("-inf")

    def get_json(self, path: str, params: Sequence[tuple[str, str]] = (), *, cost: float = 1.0) -> object:
        """Ask and return the decoded JSON; a number that is none (NaN) is null.

        Args:
            path: added to the base address.
            params: of the query.
            cost: as how many usual requests the provider counts this one.

        Raises:
            SourceUnavailable: asking later can heal it.
            SourceRejected: the user must act.
            PayloadChanged: the answer is no JSON.
        """
        return self._with_retries(lambda: self._decoded(self._get(path, params, cost=cost)))

    def post_json(self, path: str, content: object) -> object:
        """Send JSON and return the decoded answer; for what may be sent twice, or with a policy of one attempt.

        Raises:
            SourceError: as ``get_json``.
        """
        return self._with_retries(lambda: self._decoded(self._get(path, (), posted=content)))

    def get_text(self, path: str, params: Sequence[tuple[str, str]] = ()) -> str:
        """Ask and return the text; raises as ``get_json``."""
        return self._with_retries(lambda: self._get(path, params).text)

    def find_json(self, path: str, params: Sequence[tuple[str, str]] = ()) -> object:
        """Ask and return the decoded JSON, or None if there is nothing of it (404); raises as ``get_json``."""

        def ask() -> object:
            answer = self._get(path, params, also=frozenset({_MISSING}))
            return None if answer.status_code == _MISSING else self._decoded(answer)

        return self._with_retries(ask)

    def find_bytes(self, path: str) -> bytes | None:
        """Ask for a file and return its content, or None if there is no such file; raises as ``get_json``."""

        def ask() -> bytes | None:
            answer = self._get(path, (), also=frozenset({_MISSING}))
            return None if answer.status_code == _MISSING else answer.content

        return self._with_retries(ask)

    def get_bytes(self, path: str, params: Sequence[tuple[str, str]], *, also: frozenset[int]) -> bytes:
        """Ask and return the content, of answers with one of the statuses of ``also`` too; raises as ``get_json``."""
        return self._with_retries(lambda: self._get(path, params, also=also).content)

    @cached_property
    def _client(self) -> httpx2.Client:
        # Connections are not kept: requests are seconds apart, and so nothing stays open that somebody must close.
        return httpx2.Client(
            headers=self._headers, timeout=self._timeout, limits=httpx2.Limits(max_keepalive_connections=0)
        )

    def _with_retries(self, ask: Callable[[], _Content]) -> _Content:
        retry = self._retry
        again = stamina.retry_context(
            on=self._when_again,
            attempts=retry.attempts,
            timeout=retry.timeout,
            wait_initial=retry.first_wait,
            wait_max=retry.longest_wait,
            wait_jitter=retry.first_wait,
        )
        try:
            for attempt in again:
                with attempt:
                    return ask()
        except _TransientFault as fault:
            raise SourceUnavailable(self.source, fault.problem, remedy=_when(fault.wait)) from None
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _when_again(self, fault: Exception) -> bool | float:
        """Tell stamina whether to ask again, and after how many seconds if the provider said so."""
        if not isinstance(fault, _TransientFault):
            return False
        if fault.wait is None:
            return True
        return fault.wait if fault.wait <= self._retry.longest_wait else False

    def _get(
        self,
        path: str,
        params: Sequence[tuple[str, str]],
        *,
        cost: float = 1.0,
        also: frozenset[int] = frozenset(),
        posted: object = None,
    ) -> httpx2.Response:
        self._check_ban()
        params = (*params, *self._quirks.query)
        answer = self._let_in(lambda headers: self._ask(path, params, headers, cost, posted))
        if not (answer.is_success or answer.status_code in also):
            raise self._noted(self._fault(answer))
        if self.on_answer is not None and answer.is_success:
            self.on_answer(path, answer.content)
        return answer

    def _check_ban(self) -> None:
        """Ask nothing while a ban lasts.

        Raises:
            SourceUnavailable: it does.
        """
        left = self._banned_until - monotonic()
        if left > 0:
            problem = "it lets nobody in for a while after too many requests, and is not asked meanwhile"
            raise SourceUnavailable(self.source, problem, remedy=_when(left))

    def _noted(self, fault: _TransientFault | SourceError) -> _TransientFault | SourceError:
        wait = fault.wait if isinstance(fault, _TransientFault) else None
        if self._quirks.bans and wait is not None and wait > self._retry.longest_wait:
            self._banned_until = monotonic() + wait
        return fault

    def _let_in(self, ask: Callable[[dict[str, str]], httpx2.Response]) -> httpx2.Response:
        """Ask with a token where one is needed, and once more with a new one where it is refused."""
        bearer = self._quirks.bearer
        if bearer is None:
            return ask({})
        token = bearer.token()
        answer = ask({"Authorization": f"Bearer {token}"})
        if answer.status_code == _NO_LOGIN:
            bearer.refused(token)
            answer = ask({"Authorization": f"Bearer {bearer.token()}"})
        return answer

    def _ask(
        self, path: str, params: Sequence[tuple[str, str]], headers: Mapping[str, str], cost: float, posted: object
    ) -> httpx2.Response:
        if self._rate_limit is not None:
            self._rate_limit.wait(cost)
        deadline = Deadline(self._limits.deadline)
        method, content = ("GET", None) if posted is None else ("POST", json.dumps(posted).encode())
        headers = {**headers, **({} if content is None else {"Content-Type": "application/json"})}
        try:
            with deadline:
                request = self._client.build_request(
                    method,
                    self._base_url + path,
                    params=list(params),
                    headers=headers,
                    content=content,
                    extensions={"trace": deadline.follow},
                )
                answer = self._whole(request)
        except httpx2.TimeoutException:
            raise _TransientFault(f"no answer within {self._timeout:g} seconds") from None
        except httpx2.ConnectError:
            raise _TransientFault("it cannot be reached") from None
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL):
            remedy = "Set it to one that begins with https://, or leave it out."
            raise SourceRejected(self.source, "its address in the settings is not a valid one", remedy=remedy) from None
        except (httpx2.TransportError, httpx2.DecodingError):
            if deadline.has_passed:
                raise _TransientFault(f"the answer was not complete within {self._limits.deadline:g} seconds") from None
            raise _TransientFault("the answer broke off") from None
        if deadline.has_passed:  # cut off where an answer of unknown length seems to end
            raise _TransientFault(f"the answer was not complete within {self._limits.deadline:g} seconds")
        return answer

    def _whole(self, request: httpx2.Request) -> httpx2.Response:
        """Read an answer to its end, as long as it is not too large, and strike the secrets out."""
        content = bytearray()
        with closing(self._client.send(request, stream=True)) as answer:
            for part in answer.iter_bytes():
                content += part
                if len(content) > self._limits.most_bytes:
                    problem = f"its answer is larger than {self._limits.most_bytes:,} bytes"
                    raise PayloadChanged(self.source, problem, remedy="It is not read; report it if it stays so.")
            headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _CODINGS]
        clean = bytes(content)
        for secret in self._spelt():
            clean = clean.replace(secret.encode(), _STRUCK_OUT.encode())
        return httpx2.Response(answer.status_code, headers=headers, content=clean)

    def _fault(self, answer: httpx2.Response) -> _TransientFault | SourceError:
        status = answer.status_code
        reason = self._reason(answer)
        problem = f"answered {status}" + (f" ({reason})" if reason else "")
        if status in _BUSY or status >= _SERVER_FAULT:
            wait = _retry_after(answer)
            return _TransientFault(problem, wait=self._quirks.wait(status, reason) if wait is None else wait)
        if status in _NOT_ALLOWED:
            return SourceRejected(self.source, problem, remedy=self._quirks.key_remedy, status=status)
        if _MOVED <= status < _REFUSED:
            remedy = "Its address has moved: update Watthour, or set the new one in the settings."
            return PayloadChanged(self.source, problem, remedy=remedy)
        remedy = "Check the region, the dates and the variables."
        return SourceRejected(self.source, problem, remedy=remedy, status=status)

    def _reason(self, answer: httpx2.Response) -> str:
        try:
            said = reason_in(json.loads(answer.content)) or ""
        except (ValueError, RecursionError):
            said = ""  # an HTML page of a gateway, or nothing
        return " ".join(self.without_secrets(said).split())[:_LONGEST_REASON].rstrip(".")

    def without_secrets(self, text: str) -> str:
        """Return a text with every secret of this provider struck out."""
        for secret in self._spelt():
            text = text.replace(secret, _STRUCK_OUT)
        return text

    def _spelt(self) -> list[str]:
        """Return every secret as it stands by itself, in an address, in JSON and in XML; the longest first."""
        bearer = self._quirks.bearer
        found: set[str] = set()
        for secret in (*self._quirks.secrets, *(() if bearer is None else bearer.secrets)):
            in_json = json.dumps(secret)[1:-1]
            found |= {
                secret,
                quote(secret),
                quote(secret, safe=""),
                escape(secret),
                in_json,
                in_json.replace("/", r"\/"),
            }
        return sorted(found - {""}, key=len, reverse=True)

    def _decoded(self, answer: httpx2.Response) -> object:
        try:
            return json.loads(answer.content, parse_constant=lambda _name: None)
        except RecursionError:
            remedy = "It is asked again; if it stays so, update Watthour or report it."
            raise PayloadChanged(self.source, "its answer is nested too deeply to be read", remedy=remedy) from None
        except ValueError:
            if answer.content.lstrip()[:1] in {b"{", b"[", b""}:
                raise _TransientFault("the answer was cut short") from None
            remedy = "Update Watthour; if that does not help, report it with the time of asking."
            raise PayloadChanged(self.source, "it answered something that is not JSON", remedy=remedy) from None


def _when(wait: float | None) -> str:
    if not wait:
        return "Ask again later."
    return f"Ask again in {wait:.0f} seconds." if wait < 2 * MINUTE else f"Ask again in {wait / MINUTE:.0f} minutes."


def _retry_after(answer: httpx2.Response) -> float | None:
    """Return the seconds a provider asks us to wait, given as seconds or as a date."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        until, since = parsedate_to_datetime(said), parsedate_to_datetime(answer.headers.get("Date", ""))
        return max(0.0, (until - since).total_seconds())
    except (TypeError, ValueError):
        return None
