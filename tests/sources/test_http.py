"""The HTTP client of all connectors, over real HTTP."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from fakes.eia import KEY
from fakes.server import BAD_GATEWAY, CUT_SHORT, HANGS_UP, Answer, as_json, html, limited, serve, slow

from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable
from watthour.sources.http import AnswerLimits, Bearer, HttpClient, ProviderQuirks, RateLimit, RetryPolicy, reason_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.server import FakeServer, Request

QUICK = RetryPolicy(attempts=4, first_wait=0.001, longest_wait=0.5)


def _answer(request: Request) -> Answer:
    if request.path == "/missing":
        return as_json({"error": "not found", "code": 404}, 404)
    if request.path == "/moved":
        return Answer(301, headers={"Location": "https://example.org/"})
    if request.path == "/page":
        return html(200)
    if request.path == "/empty":
        return Answer(200)
    return as_json({"asked": request.target, "not_a_number": float("nan")})


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serve(_answer) as server:
        yield server


@pytest.fixture
def client(server: FakeServer) -> HttpClient:
    quirks = ProviderQuirks(key_remedy="Check EIA_API_KEY.", secrets=(KEY,))
    return HttpClient("eia", server.base_url, headers={"X-Api-Key": KEY}, retry=QUICK, quirks=quirks, timeout=0.3)


def test_an_answer_is_decoded_and_what_is_no_number_is_null(client: HttpClient) -> None:
    assert client.get_json("/rows", [("facets[type][]", "D"), ("facets[type][]", "DF")]) == {
        "asked": "/rows?facets%5Btype%5D%5B%5D=D&facets%5Btype%5D%5B%5D=DF",
        "not_a_number": None,
    }


@pytest.mark.parametrize(
    "fault",
    [BAD_GATEWAY, CUT_SHORT, HANGS_UP, limited(), limited("0"), as_json({"error": "busy"}, 503), slow(0.6)],
    ids=["bad gateway", "cut short", "hangs up", "limited", "limited with Retry-After", "busy", "slow"],
)
def test_what_can_heal_is_asked_again(server: FakeServer, client: HttpClient, fault: Answer) -> None:
    server.faults.append(fault)
    assert client.get_json("/rows")
    assert len(server.requests) == 2


def test_what_does_not_heal_is_unavailable(server: FakeServer, client: HttpClient) -> None:
    server.faults.extend([BAD_GATEWAY] * 10)
    with pytest.raises(SourceUnavailable, match=r"^eia: answered 502\. Ask again later\.$"):
        client.get_json("/rows")
    assert len(server.requests) == 4


def test_an_answer_cut_short_each_time_is_unavailable(server: FakeServer, client: HttpClient) -> None:
    server.faults.extend([CUT_SHORT] * 10)
    with pytest.raises(SourceUnavailable, match="the answer was cut short"):
        client.get_json("/rows")


def test_an_empty_answer_is_not_taken_for_json(client: HttpClient) -> None:
    with pytest.raises(SourceUnavailable, match="the answer was cut short"):
        client.get_json("/empty")


def test_retry_after_is_waited_for(server: FakeServer, client: HttpClient) -> None:
    server.faults.append(limited("0"))
    client.get_json("/rows")
    assert len(server.requests) == 2


def test_who_asks_us_to_wait_too_long_is_asked_another_time(server: FakeServer, client: HttpClient) -> None:
    server.faults.append(limited("3600"))
    with pytest.raises(SourceUnavailable, match=r"Too many requests.*Ask again in 60 minutes\."):
        client.get_json("/rows")
    assert len(server.requests) == 1


def test_retry_after_may_be_a_date(server: FakeServer, client: HttpClient) -> None:
    server.faults.append(limited("Fri, 31 Dec 2100 23:59:59 GMT"))
    with pytest.raises(SourceUnavailable, match="minutes"):
        client.get_json("/rows")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_not_retried(server: FakeServer, client: HttpClient, status: int) -> None:
    server.faults.append(as_json({"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key."}}, status))
    with pytest.raises(SourceRejected, match=rf"answered {status} \(An invalid api_key\)\. Check EIA_API_KEY\.$"):
        client.get_json("/rows")
    assert len(server.requests) == 1


def test_a_gateways_page_is_no_reason(server: FakeServer, client: HttpClient) -> None:
    server.faults.append(html(403))
    with pytest.raises(SourceRejected, match=r"^eia: answered 403\. Check"):
        client.get_json("/rows")


def test_a_wrong_request_is_not_retried(server: FakeServer, client: HttpClient) -> None:
    server.faults.append(as_json({"error": "Invalid facet 'nope' provided.", "code": 400}, 400))
    with pytest.raises(SourceRejected, match="Invalid facet 'nope' provided"):
        client.get_json("/rows")
    assert len(server.requests) == 1


def test_a_page_instead_of_json_is_a_changed_payload(client: HttpClient) -> None:
    with pytest.raises(PayloadChanged, match="not JSON"):
        client.get_json("/page")


def test_a_redirect_is_not_followed_because_it_could_carry_the_key_away(server: FakeServer, client: HttpClient) -> None:
    with pytest.raises(PayloadChanged, match="moved"):
        client.get_json("/moved")
    assert len(server.requests) == 1


def test_a_missing_file_is_none_and_a_missing_route_is_refused(client: HttpClient) -> None:
    assert client.find_bytes("/missing") is None
    with pytest.raises(SourceRejected, match="not found"):
        client.get_json("/missing")


def test_an_address_nobody_listens_at_is_unavailable() -> None:
    with serve(_answer) as server:
        url = server.base_url
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        HttpClient("eia", url, retry=RetryPolicy(attempts=1)).get_json("/rows")


def test_an_address_that_is_none_is_the_users_to_mend() -> None:
    with pytest.raises(SourceRejected, match="https://"):
        HttpClient("eia", "ftp://example.org").get_json("/rows")


def test_a_secret_is_in_no_address_message_or_log(
    server: FakeServer, client: HttpClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = as_json({"error": {"message": f"{KEY} is over its limit"}}, 503)
    server.faults.extend([echo, as_json({"error": {"message": f"no such key: {KEY}"}}, 403)])
    with pytest.raises(SourceRejected) as caught:
        client.get_json("/rows", [("length", "5")])
    assert all(request.headers["X-Api-Key"] == KEY for request in server.requests)
    printed = capsys.readouterr()
    for text in (*(request.target for request in server.requests), str(caught.value), repr(caught.value)):
        assert KEY not in text
    assert KEY not in caplog.text + printed.out + printed.err + repr(client)
    assert "no such key: ***" in str(caught.value)


def test_a_secret_that_an_answer_repeats_is_struck_out_however_it_is_read_and_spelt(server: FakeServer) -> None:
    key = 'a/b+c"d&e'
    spelt = [r"a/b+c\"d&e", r"a\/b+c\"d&e", "a%2Fb%2Bc%22d%26e", "a/b%2Bc%22d%26e", "a/b+c&quot;d&amp;e"]
    content = ('["' + '", "'.join(spelt) + '"]').encode()
    client = HttpClient("eia", server.base_url, retry=QUICK, quirks=ProviderQuirks(secrets=(key,)))
    recorded: list[bytes] = []
    client.on_answer = lambda _path, told: recorded.append(told)
    server.faults.extend([Answer(200, content)] * 6)
    clean = ["***"] * len(spelt)
    assert [client.get_json("/rows"), client.find_json("/rows"), client.post_json("/rows", {})] == [clean] * 3
    raw = [client.get_text("/rows").encode(), client.find_bytes("/rows")]
    raw.append(client.get_bytes("/rows", [], also=frozenset()))
    assert [json.loads(each or b"") for each in (*raw, *recorded)] == [clean] * 9


def test_a_token_of_a_login_that_an_answer_repeats_is_struck_out(server: FakeServer) -> None:
    quirks = ProviderQuirks(bearer=Bearer(lambda: "token-of-today", lifetime_s=60))
    client = HttpClient("watttime", server.base_url, retry=QUICK, quirks=quirks)
    server.faults.append(as_json({"zone": "token-of-today"}))
    assert client.get_json("/rows") == {"zone": "***"}


def test_requests_keep_their_pace() -> None:
    clock = [100.0]
    slept: list[float] = []

    def pause(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    limit = RateLimit(2.0, clock=lambda: clock[0], pause=pause)
    limit.wait()
    limit.wait()
    limit.wait(cost=3)
    clock[0] += 0.2
    limit.wait()
    assert slept == pytest.approx([0.5, 0.5, 1.3])


def test_each_request_waits_for_its_turn(server: FakeServer) -> None:
    turns: list[float] = []
    limit = RateLimit(1.0, clock=lambda: 0.0, pause=turns.append)
    client = HttpClient("eia", server.base_url, rate_limit=limit, retry=QUICK)
    server.faults.append(BAD_GATEWAY)
    client.get_json("/rows")
    client.get_text("/rows")
    assert turns == [1.0, 2.0]  # a retry takes its turn as well


@pytest.mark.parametrize("body", [None, [], "text", {"error": True}, {"error": {}}, {"message": 5}])
def test_a_body_without_words_gives_no_reason(body: object) -> None:
    assert reason_in(body) is None


@pytest.mark.parametrize("is_in_head", [True, False])
def test_an_answer_that_comes_byte_by_byte_has_an_end(server: FakeServer, is_in_head: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    client = HttpClient(
        "eia", server.base_url, retry=RetryPolicy(attempts=1), timeout=5.0, limits=AnswerLimits(deadline=0.3)
    )
    server.faults.append(Answer(drips=0.02, drips_in_head=is_in_head))
    with pytest.raises(SourceUnavailable, match=r"not complete within 0\.3 seconds"):
        client.get_json("/rows")
    assert client.get_json("/rows")


def test_an_answer_without_end_is_not_read_on(server: FakeServer) -> None:
    client = HttpClient("eia", server.base_url, limits=AnswerLimits(most_bytes=1_000_000))
    server.faults.append(Answer(is_endless=True))
    with pytest.raises(PayloadChanged, match="larger than 1,000,000 bytes"):
        client.get_text("/rows")


def test_json_nested_without_end_is_a_changed_payload(server: FakeServer, client: HttpClient) -> None:
    server.faults.append(Answer(body=b"[" * 200_000))
    with pytest.raises(PayloadChanged, match="nested too deeply"):
        client.get_json("/rows")
    server.faults.append(Answer(status=400, body=b"[" * 200_000))
    with pytest.raises(SourceRejected, match="answered 400"):
        client.get_json("/rows")


def test_retries_are_logged_on_the_standard_error(
    server: FakeServer, client: HttpClient, capsys: pytest.CaptureFixture[str]
) -> None:
    from watthour.cli.logs import log_to_stderr

    log_to_stderr()
    server.faults.append(BAD_GATEWAY)
    client.get_json("/rows")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "retry" in printed.err
