"""What all answers and questions have in common."""

from pydantic import BaseModel, ConfigDict, JsonValue


class Answer(BaseModel):
    """Something the API says."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Question(BaseModel):
    """Something the API is asked; a misspelt name is refused, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)


def shown_as(example: dict[str, JsonValue]) -> ConfigDict:
    """Return the part of a model's configuration that shows it by an example."""
    return ConfigDict(json_schema_extra={"examples": [example]})
