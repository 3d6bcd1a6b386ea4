"""Sources that a person has added from the page or by command: one file of the home directory, for its owner alone.

It holds the same blocks as the settings; what the settings say of a source goes before it.
"""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from watthour.core.errors import InvalidInput, SourceUnavailable, UnknownName
from watthour.core.lock import locked, write_whole
from watthour.sources.catalogue import addable, options_class
from watthour.sources.polling import PolledOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ipaddress import IPv6Address
    from pathlib import Path

    from watthour.sources.catalogue import Ask
    from watthour.sources.options import Options

FILE_NAME = "sources.json"
HIDDEN = "(hidden)"


def checked_source(kind: str, said: Mapping[str, object]) -> Options:
    """Return the options of a source that a person adds.

    Args:
        kind: its block, such as mqtt.
        said: by option; what is empty is not said.

    Raises:
        InvalidInput: there is no such kind, an option is missing or unknown, or a value cannot be.
    """
    kinds = addable()
    if kind not in kinds:
        raise InvalidInput("kind", kind, "there is no such kind of source", remedy=f"There are: {', '.join(kinds)}.")
    asks, options = kinds[kind].asks, options_class(kinds[kind])
    known = [ask.option for ask in asks]
    given = {name: value for name, value in said.items() if value is not None and value != ""}
    if other := next((name for name in said if name not in known), None):
        raise InvalidInput(other, HIDDEN, "there is no such setting", remedy=f"{kind} takes: {', '.join(known)}.")
    if missing := next((ask for ask in asks if ask.is_required and ask.option not in given), None):
        raise InvalidInput(missing.option, None, "it is missing", remedy=_how(missing))
    try:
        read = options.model_validate(given)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        ask = next((each for each in asks if fault["loc"] and each.option == fault["loc"][0]), asks[0])
        shown = HIDDEN if is_secret(options, ask.option) else fault["input"]
        problem = fault["msg"].removeprefix("Value error, ")
        problem = problem[:1].lower() + problem[1:]
        raise InvalidInput(ask.option, shown, problem, remedy=_how(ask)) from None  # the chain would show a secret
    if empty := next((ask for ask in asks if ask.is_required and _is_blank(getattr(read, ask.option))), None):
        raise InvalidInput(empty.option, None, "it is missing", remedy=_how(empty))  # only spaces or commas were given
    return read


def check_is_near(kind: str, options: Options) -> None:
    """Refuse what is not in the home's own network: nobody shall make this server ask for pages elsewhere.

    An address of https with a name may be anywhere: its certificate proves who answers, and a token goes there
    encrypted. This machine's own link is refused all the same.

    Raises:
        InvalidInput: an address is of the internet, or of this machine's own link, where clouds keep secrets.
        SourceUnavailable: nobody knows a name.
    """
    for host in options.hosts if isinstance(options, PolledOptions) else ():
        if far := next((each for each in _addresses(kind, host) if not _is_near(each)), None):
            problem = f"{far} is not in the home's own network"
            remedy = "Give the device's address at home, such as 192.168.1.20."
            raise InvalidInput("hosts", host, problem, remedy=remedy)
    url = getattr(options, "url", None)
    if not isinstance(url, str) or "url" not in options.model_fields_set:  # a provider's own address is not said
        return
    parts = urlsplit(url)
    addresses = _addresses(kind, f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname))
    is_certified = parts.scheme == "https" and not _is_address(str(parts.hostname))
    for each in addresses:
        if not _is_near(each) and not (is_certified and _is_routed(each)):
            problem = f"{each} is not in the home's own network"
            remedy = "Give its address at home, such as http://192.168.1.10:8123, or a name that begins with https://."
            raise InvalidInput("url", url, problem, remedy=remedy)


def is_secret(options: type[Options], option: str) -> bool:
    """Tell whether an option is never shown."""
    return "SecretStr" in str(options.model_fields[option].annotation)


def field_type(options: type[Options], option: str) -> str:
    """Return how an option is asked for: text, number, yes_no or secret."""
    if is_secret(options, option):
        return "secret"
    kind = options.model_fields[option].annotation
    return {bool: "yes_no", int: "number", float: "number"}.get(kind, "text")  # type: ignore[arg-type]  # others are text


class OwnSources:
    """The sources that were added in a home directory; a change by another process is seen at once.

    Args:
        home: the directory.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / FILE_NAME
        self._lock = Lock()
        self._read_at: tuple[int, int, int] | None = None  # file, change and size of what was read
        self._blocks: dict[str, Options] = {}

    def all(self) -> Mapping[str, Options]:
        """Return their options, by block; the same object until something changes.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._lock:
            return self._fresh()

    def add(self, kind: str, options: Options) -> None:
        """Keep a source in place of one of its kind; devices that are asked come beside those there are.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._changing() as blocks:
            before = blocks.get(kind)
            if isinstance(options, PolledOptions) and isinstance(before, PolledOptions):
                hosts = tuple(dict.fromkeys((*before.hosts, *options.hosts)))
                options = before.model_copy(update={**_said(options), "hosts": hosts})
            blocks[kind] = options

    def remove(self, kind: str, host: str | None = None) -> None:
        """Take a source away, or one of the devices that are asked.

        Raises:
            UnknownName: it was not added.
        """
        with self._changing() as blocks:
            gone = blocks.get(kind)
            hosts = gone.hosts if isinstance(gone, PolledOptions) else ()
            if gone is None or (host is not None and host not in hosts):
                listed = ", ".join(sorted(blocks)) or "none"
                problem = "it was not added here"
                remedy = f"Added are: {listed}. What watthour.toml or the environment sets is changed there."
                raise UnknownName("source", f"{kind} {host}" if host else kind, problem, remedy=remedy)
            left = tuple(each for each in hosts if each != host)
            if host is not None and left:
                blocks[kind] = gone.model_copy(update={"hosts": left})
            else:
                del blocks[kind]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Options]]:
        """Let the sources be changed, and keep them: no other process changes them meanwhile."""
        with self._lock, locked(self._path.with_suffix(".lock")):
            self._read_at, self._blocks = None, {}  # the clock of a disk may not tell two changes apart
            blocks = dict(self._fresh())
            yield blocks
            self._write(blocks)

    def _fresh(self) -> dict[str, Options]:
        try:
            seen = self._path.stat()
        except FileNotFoundError:
            if self._read_at is not None:
                self._read_at, self._blocks = None, {}
            return self._blocks
        stamp = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
        if stamp != self._read_at:
            self._blocks = self._decoded(self._path.read_bytes())
            self._read_at = stamp
        return self._blocks

    def _decoded(self, content: bytes) -> dict[str, Options]:
        try:
            return {str(kind): checked_source(kind, said) for kind, said in json.loads(content)["sources"].items()}
        except (ValueError, TypeError, KeyError, AttributeError, InvalidInput) as error:
            why = error.problem if isinstance(error, InvalidInput) else type(error).__name__  # its text may be a secret
            remedy = "Mend it, or remove it and add the sources again."
            raise InvalidInput("sources file", str(self._path), f"it cannot be read ({why})", remedy=remedy) from None

    def _write(self, blocks: Mapping[str, Options]) -> None:
        content = {"version": 1, "sources": {kind: _plain(options) for kind, options in sorted(blocks.items())}}
        write_whole(self._path, json.dumps(content, indent=2, ensure_ascii=False))


def joined(settings: Mapping[str, Options], own: Mapping[str, Options]) -> dict[str, Options]:
    """Return the options of all sources, by block: what the settings say goes before what was added."""
    both = {
        kind: own[kind].model_copy(update=_said(options)) if kind in own else options
        for kind, options in settings.items()
    }
    return {**own, **both}


def check_unset(kind: str, options: Options, settings: Mapping[str, Options]) -> None:
    """Refuse what the settings say already: adding it would change nothing.

    Raises:
        InvalidInput: they do.
    """
    if kind in settings and (both := _said(options).keys() & _said(settings[kind]).keys()):
        problem = "watthour.toml or the environment sets it already, and goes before what is added"
        raise InvalidInput(min(both), HIDDEN, problem, remedy=f"Change it there, under [sources.{kind}].")


def address_of(options: Options) -> str | None:
    """Return where a source is, for people to tell one from another; None where it is nowhere in the home."""
    if isinstance(options, PolledOptions):
        return ", ".join(options.hosts) or None
    if isinstance(url := getattr(options, "url", None), str) and url:
        return urlsplit(url).netloc.rpartition("@")[2] or None  # without a name or password in front
    host, port = getattr(options, "host", None), getattr(options, "port", None)
    return None if host is None else f"{host}:{port}" if port else str(host)


def _is_blank(value: object) -> bool:
    return value is None or value == () or (isinstance(value, str) and not value.strip())


def _how(ask: Ask) -> str:
    hint = f" {ask.hint.rstrip('.')}." if ask.hint else ""
    return f"Give the {ask.label[:1].lower()}{ask.label[1:]}.{hint}"


def _said(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.model_fields_set}


def _plain(options: Options) -> dict[str, object]:
    """Return what was said of a source as it stands in the file, secrets in plain text."""
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in _said(options).items()
    }


def _addresses(kind: str, host: str) -> list[IPv4Address | IPv6Address]:
    bare = host.strip("[]") if host.startswith("[") or host.count(":") > 1 else host.partition(":")[0]
    try:
        return [ip_address(bare)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(bare, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        problem = f"nobody in this network knows the name {bare}"
        remedy = "Give its address, such as 192.168.1.20: the router's page or the device's app shows it."
        raise SourceUnavailable(kind, problem, remedy=remedy) from None
    return [ip_address(str(each[4][0]).partition("%")[0]) for each in found]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_routed(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one of a network, and not of this machine's own link, or nobody's."""
    plain = address if isinstance(address, IPv4Address) else address.ipv4_mapped or address
    return not (plain.is_link_local or plain.is_unspecified or plain.is_multicast)


def _is_near(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_private and not address.is_link_local and not address.is_unspecified
    if (mapped := address.ipv4_mapped) is not None:
        return _is_near(mapped)
    return (address.is_private or address.is_link_local) and not address.is_unspecified
