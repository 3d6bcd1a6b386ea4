"""MQTT: what devices of a home tell a broker, such as Mosquitto or that of Home Assistant."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads annotations at run time
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, field_validator

from watthour.sources.options import Options

if TYPE_CHECKING:
    from watthour.sources.mqtt.announcer import Announcer
    from watthour.sources.mqtt.broker import Broker
    from watthour.sources.mqtt.subscriber import Mqtt


class MqttOptions(Options):
    """The block ``[sources.mqtt]``."""

    host: str | None = None  # of the broker; without it nothing is listened to
    port: int = Field(default=1883, ge=1, le=65535)
    username: str | None = None
    password: SecretStr | None = None
    tls: bool = False  # brokers speak it on port 8883
    ca_file: Path | None = None  # of a broker with a certificate of one's own making
    client_id: str | None = None  # under which the broker keeps messages for us while we are away
    topics: tuple[str, ...] = ()  # instead of those of the languages we read
    announce: bool = False  # tell Home Assistant of our homes by MQTT discovery
    discovery_prefix: str = "homeassistant"  # of the topics under which Home Assistant looks for announcements

    @field_validator("topics", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(topic.strip() for topic in value.split(",") if topic.strip()) if isinstance(value, str) else value

    @field_validator("topics", mode="after")
    @classmethod
    def _are_filters(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for topic in value:
            parts = topic.split("/")
            if any(len(part) > 1 and set(part) & set("#+") for part in parts) or "#" in parts[:-1] or not topic:
                message = f"{topic!r} is no topic: + and # stand for whole levels, and # comes last"
                raise ValueError(message)
        return value

    @field_validator("discovery_prefix", mode="after")
    @classmethod
    def _is_a_topic(cls, value: str) -> str:
        if set(value) & set("#+") or not all(value.split("/")):
            message = f"{value!r} cannot begin a topic: it has no + or #, and no / at its ends"
            raise ValueError(message)
        return value

    @field_validator("host", "username", "client_id", mode="before")
    @classmethod
    def _unset_when_empty(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value


def open_line(options: MqttOptions, *, client_id: str, is_passing: bool = False) -> Mqtt | None:
    """Return the connection to the broker that the settings name, not opened yet; None where they name none.

    Args:
        options: the block of the settings.
        client_id: unless the settings have one.
        is_passing: for a moment only: under a name of its own, and the broker keeps nothing for it.

    Raises:
        MissingExtra: the library for MQTT is not installed.
    """
    if options.host is None or not options.enabled:
        return None
    own_id = client_id if is_passing else options.client_id or client_id
    broker = _broker(options, own_id, is_passing=is_passing)
    from watthour.sources.mqtt.subscriber import Mqtt

    return Mqtt(broker, options.topics or None)


def open_board(options: MqttOptions, *, client_id: str, home: Path) -> Announcer | None:
    """Return who announces homes to the broker, not connected yet; None where nobody is to, and nothing is left there.

    Args:
        options: the block of the settings.
        client_id: unless the settings have one.
        home: the directory that remembers what was announced.

    Raises:
        MissingExtra: the library for MQTT is not installed.
        InvalidInput: the file that remembers what was announced is damaged.
    """
    if options.host is None:
        return None
    from watthour.sources.mqtt.announced import Announced

    announced = Announced(home, f"{options.host}:{options.port} {options.discovery_prefix}")
    is_wanted = options.announce and options.enabled
    if not is_wanted and not announced.all():
        return None
    broker = _broker(options, f"{options.client_id or client_id}-tells", is_passing=True)
    from watthour.sources.mqtt.announcer import Announcer

    return Announcer(broker, announced, options.discovery_prefix, is_wanted=is_wanted)


def _broker(options: MqttOptions, client_id: str, *, is_passing: bool) -> Broker:
    """Return where the broker is; raises MissingExtra where the library for MQTT is not installed."""
    from watthour.sources.mqtt.broker import Broker

    return Broker(
        str(options.host),
        options.port,
        client_id,
        options.username,
        None if options.password is None else options.password.get_secret_value(),
        tls=options.tls or options.ca_file is not None,
        ca_file=options.ca_file,
        is_passing=is_passing,
    )
