"""Home Assistant's long-term statistics, over its WebSocket API: what its sensors told, years back and as it comes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path  # noqa: TC003 - pydantic reads annotations at run time
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, field_validator

from watthour.sources.options import Options, address_of, secret_of

if TYPE_CHECKING:
    from watthour.sources.recorded import Recorded

TOKEN = "HOME_ASSISTANT_TOKEN"  # noqa: S105 - the name of a variable
_REMEDY = (
    "In Home Assistant: your profile, Security, Long-lived access tokens, Create token. Set it as {name}, "
    "or give it where the source is added."
)


class HomeAssistantOptions(Options):
    """The block ``[sources.home_assistant]``."""

    url: str | None = None  # such as http://homeassistant.local:8123; without it nothing is asked
    token: SecretStr | None = None  # a long-lived access token
    token_file: Path | None = None  # that only its owner can read
    every_s: float = Field(default=300.0, ge=10.0, le=3600.0)  # statistics come every five minutes
    statistics: tuple[str, ...] = ()  # only these; none: all that can be read

    @field_validator("url", mode="after")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return address_of(value, of="Home Assistant", example="http://homeassistant.local:8123", has_path=True)

    @field_validator("statistics", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def open_line(options: HomeAssistantOptions, **_of_brokers: object) -> Recorded | None:
    """Return the line to the Home Assistant that the settings name, not opened yet; None where they name none.

    Raises:
        NotConfigured: there is no token.
    """
    if options.url is None or not options.enabled:
        return None
    from watthour.sources.home_assistant.statistics import Statistics
    from watthour.sources.recorded import Recorded

    token = secret_of(options.token, options.token_file, name=TOKEN, remedy=_REMEDY.format(name=TOKEN))
    return Recorded(
        "home_assistant", Statistics(options.url, token, options.statistics), timedelta(seconds=options.every_s)
    )
