"""What all answers and questions have in common."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Something the API says."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Question(BaseModel):
    """Something the API is asked; a misspelt name is refused, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)
