"""What a person may set of a provider: each connector declares a block of options in its own file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from watthour.core.errors import NotConfigured

if TYPE_CHECKING:
    from pathlib import Path

_TEMPLATE_WORDS = ("your", "change", "replace", "example", "placeholder", "insert", "todo", "xxx", "<", "...", "none")
_FEWEST_SYMBOLS = 3  # a key of one or two different characters was typed, not issued


class Options(BaseModel):
    """The block ``[sources.<name>]`` of the settings; a connector adds an address, a key, or whatever it needs."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    enabled: bool = True  # false: this provider is never asked


def address_of(value: str | None, *, of: str, example: str, has_path: bool = False) -> str | None:
    """Return the address of a server without a slash at its end; None where none is set.

    Args:
        value: as a person wrote it.
        of: whose address it is, in words.
        example: one that would do.
        has_path: the server may stand below a path.

    Raises:
        ValueError: it is no such address.
    """
    if value is None or not value.strip():
        return None
    parts = urlsplit(value)
    is_bare = not parts.query and not parts.username and parts.port != 0 and (has_path or parts.path in {"", "/"})
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_bare:
        message = f"it is no address of {of}, such as {example}"
        raise ValueError(message)
    return value.rstrip("/")


def is_placeholder(secret: str) -> bool:
    """Tell a template's filling, such as ``your_key_here``, from a real secret.

    >>> is_placeholder("your_eia_api_key_here"), is_placeholder("8f14e45fceea167a5a36dedd4bea2543")
    (True, False)
    """
    text = secret.strip().casefold()
    return text.startswith(_TEMPLATE_WORDS) or text.endswith("_here") or len(set(text)) < _FEWEST_SYMBOLS


def secret_of(secret: SecretStr | None, path: Path | None, *, name: str, remedy: str) -> str:
    """Return a secret that is set, or that stands in a file which nobody else can read.

    Args:
        secret: as the settings hold it; it goes before the file.
        path: of the file.
        name: of the variable that sets it, for the message.
        remedy: where to get one.

    Raises:
        NotConfigured: it is missing, no secret at all, or others can read the file.
    """
    if path is not None and (secret is None or not secret.get_secret_value().strip()):
        try:
            if sys.platform != "win32" and path.stat().st_mode & 0o077:
                cure = f"Let only yourself read it: chmod 600 {path}"
                raise NotConfigured(f"{name}_FILE", str(path), "others on this machine can read it", remedy=cure)
            secret = SecretStr(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise NotConfigured(f"{name}_FILE", str(path), f"it cannot be read ({reason})", remedy=remedy) from None
    return require_key(secret or SecretStr(""), name=name, remedy=remedy)


def require_key(key: SecretStr, *, name: str, remedy: str, has_letters_of_all: bool = False) -> str:
    """Return a key as text, to be handed to the HTTP client and to nothing else.

    Args:
        key: as the settings hold it.
        name: of the variable that sets it, for the message.
        remedy: where to get one, and how to do without.
        has_letters_of_all: a person chose it, so that it may have letters of any language, such as a password.

    Raises:
        NotConfigured: it is missing, a placeholder or no key at all.
    """
    text = key.get_secret_value().strip()
    if not text:
        raise NotConfigured(name, None, "no key is set", remedy=remedy)
    if is_placeholder(text):
        raise NotConfigured(name, "(hidden)", "this is a placeholder, not a key", remedy=remedy)
    if not text.isprintable() or not (has_letters_of_all or text.isascii()):
        raise NotConfigured(name, "(hidden)", "a key has plain letters and digits", remedy="Copy it again.")
    return text
