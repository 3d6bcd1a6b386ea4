"""What is said on the live line, both ways."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from watthour.api.schemas.base import Answer, Question
from watthour.api.schemas.homes import KeptRows, SentRows

MessageId = Annotated[str, Field(max_length=100)] | int | None
_NAMES = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=1000)]


class Send(SentRows):
    """Rows to keep."""

    type: Literal["send"]
    id: MessageId = None


class Subscribe(Question):
    """Channels and sites (such as homes) whose news are wanted from now on; what was wanted before stays."""

    type: Literal["subscribe"]
    id: MessageId = None
    channels: _NAMES = Field(default=[])
    sites: _NAMES = Field(default=[])


class Unsubscribe(Question):
    """Channels and sites whose news are wanted no longer; without any of them: none are wanted."""

    type: Literal["unsubscribe"]
    id: MessageId = None
    channels: _NAMES = Field(default=[])
    sites: _NAMES = Field(default=[])


ASKED: TypeAdapter[Send | Subscribe | Unsubscribe] = TypeAdapter(
    Annotated[Send | Subscribe | Unsubscribe, Field(discriminator="type")]
)


class KeptAnswer(KeptRows):
    """What became of the rows of one message."""

    type: Literal["kept"] = "kept"
    id: MessageId


class SubscribedAnswer(Answer):
    """What is wanted now."""

    type: Literal["subscribed"] = "subscribed"
    id: MessageId
    channels: list[str]
    sites: list[str]


class Dropped(Answer):
    """So many news were left out because they were not read in time."""

    type: Literal["dropped"] = "dropped"
    n_messages: int
