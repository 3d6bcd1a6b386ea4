"""A broker: where it is, how it is connected to, how long one waits before a new try, and what is wrong with it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watthour.core.errors import MissingExtra

try:
    import aiomqtt  # this file is what the extra `iot` is for, and is imported only where a broker is set
    from aiomqtt.exceptions import MqttConnectError
except ModuleNotFoundError as error:
    raise MissingExtra("aiomqtt", "iot") from error

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    import numpy as np

LONGEST_WAIT_S = 60.0
LOOK_S = 0.1  # how often it is looked whether to stop
FAILURES = (aiomqtt.MqttError, OSError, UnicodeError)  # of a connection; what TLS finds wrong is an OSError
_KEEP_ALIVE_S = 30
_TIMEOUT_S = 10
_REFUSED = frozenset({4, 5, 134, 135})  # reason codes: bad user name or password, not authorised


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and as whom we speak to it."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None
    is_passing: bool = False  # the broker keeps nothing for us

    def client(
        self, queue_type: type[asyncio.Queue[aiomqtt.Message]] | None = None, will: aiomqtt.Will | None = None
    ) -> aiomqtt.Client:
        """Return a client that is not connected yet.

        Args:
            queue_type: of what comes; None: the usual one.
            will: what the broker tells the others when we are gone without a word.
        """
        context = None
        if self.tls:
            context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        return aiomqtt.Client(
            self.host,
            self.port,
            username=self.username,
            password=self.password,
            identifier=self.client_id,
            clean_session=self.is_passing,
            queue_type=queue_type,
            keepalive=_KEEP_ALIVE_S,
            tls_context=context,
            timeout=_TIMEOUT_S,
            will=will,
        )


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait for what; before trying again twice as long each time, and by chance less."""

    first_s: float = 1.0
    longest_s: float = LONGEST_WAIT_S
    gather_s: float = 1.0  # what comes within it is kept together
    caught_up_s: float = 0.5  # a pause that long ends what the broker had kept for us

    def after(self, n_failures: int, rng: np.random.Generator) -> float:
        """Return the seconds to wait after so many failures in a row."""
        longest = min(self.longest_s, self.first_s * 2.0 ** min(n_failures - 1, 20))
        return longest * rng.uniform(0.5, 1.0)


async def pause(seconds: float, stopping: Event) -> None:
    """Wait, unless told to stop."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + seconds
    while not stopping.is_set() and (left := ends_at - loop.time()) > 0:  # noqa: ASYNC110 - it is another thread's event
        await asyncio.sleep(min(left, LOOK_S))


def explained(error: Exception, broker: Broker) -> tuple[str, str, str]:
    """Return what is wrong with a connection, the cure, and the setting to blame."""
    where = f"{broker.host}:{broker.port}"
    code = code_of(getattr(error, "rc", 0) or 0)
    if isinstance(error, MqttConnectError) or code in _REFUSED:
        return (
            f"the broker at {where} refuses us ({error})",
            "Check username and password.",
            "password" if broker.username else "username",
        )
    if isinstance(error, FileNotFoundError) and broker.ca_file is not None:
        return f"there is no file {broker.ca_file}", "Correct ca_file under [sources.mqtt] in watthour.toml.", "ca_file"
    if isinstance(error, ssl.SSLError) or "CERTIFICATE" in str(error).upper():
        return (
            f"the broker at {where} cannot be trusted ({error})",
            "Set ca_file under [sources.mqtt] to the certificate that signed the broker's, or the host to its name.",
            "host",
        )
    if isinstance(error, UnicodeError):  # a label of a name holds 63 characters at most
        return f"{where:.60} cannot be the name of a broker", "Correct the host.", "host"
    cure = "Check host and port, and that the broker runs."
    if not broker.tls and "timed out" in str(error):
        cure += " If it speaks TLS, set that it does (tls)."
    return f"the broker at {where} cannot be reached ({error})", cure, "host"


def code_of(code: object) -> int:
    """Return the number of a reason, which may be an int or paho's ReasonCode."""
    return int(getattr(code, "value", code))  # type: ignore[call-overload,no-any-return]  # an int, or a ReasonCode
