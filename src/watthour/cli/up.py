"""`watthour up`: API, pages, scheduler and ingestion in one process."""

from __future__ import annotations

import signal
import socket
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.context import read_settings

if TYPE_CHECKING:
    from types import FrameType

    import uvicorn

    from watthour.settings import Settings

LONGEST_GOODBYE_S = 5  # open requests get this long to end
LIVE_AHEAD = 2  # messages of a caller that are read ahead: a ping behind them is answered soon all the same
LONGEST_SILENCE_MS = 120_000  # of a caller for whom something waits


def up(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: the settings' `host`.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    follow: Annotated[bool, typer.Option(help="Fetch, forecast and train on schedule; off: only serve.")] = True,
) -> None:
    """Start everything: the pages, the API, and the rounds that fetch, forecast, score and train.

    Without a key and without data it shows a simulated region and home, says so, and offers what to connect.
    """
    settings = read_settings()
    said = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=said)
    listening = _listen(settings)
    from watthour.bootstrap import open_app
    from watthour.cli.logs import configure_logging

    log = configure_logging(settings)
    with listening, open_app(settings) as app:
        import uvicorn

        from watthour.api.app import create_app
        from watthour.api.security import READINGS_LIMIT
        from watthour.cli.scheduler import Scheduler
        from watthour.forecasting.lean_lightgbm import import_lean_lightgbm

        import_lean_lightgbm()  # before any thread loads a model, and with it the whole of LightGBM's neighbours
        scheduler = Scheduler(app)
        config = uvicorn.Config(
            create_app(app),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=LONGEST_GOODBYE_S,
            ws_max_size=READINGS_LIMIT,
            ws_max_queue=LIVE_AHEAD,
            ws_per_message_deflate=False,  # a small message may not become a large one
        )
        server = uvicorn.Server(config)
        _end_on_signals(server)
        if follow:
            scheduler.make_first_data()
        address, taken = listening.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        log.info("listening", url=f"http://{shown}:{taken}", home=str(settings.home))
        if follow:
            scheduler.start()
        lives = follow and scheduler.shows_stand_in_home
        with (
            app.listening() if follow else nullcontext(enter_result=False) as hears,
            app.living() if lives else nullcontext(),
            app.forwarding() if follow else nullcontext(enter_result=False) as forwards,
            app.telling() if follow else nullcontext(),
        ):
            if app.forwarder is not None:
                log.info("writing" if forwards else "not_writing", to=app.forwarder.state.name)
            if hears:
                log.info("hearing", sources=[state.source for state in app.listener.states])
            elif follow and app.listener.states:
                log.info("not_hearing", why="another process listens for this home directory")
            server.run(sockets=[listening])
            log.info("stopping")
        scheduler.stop()
    log.info("stopped")
    scheduler.leave()


def _listen(settings: Settings) -> socket.socket:
    """Take the port before anything else is done, so that a taken one is said at once."""
    from watthour.core.errors import InvalidInput

    try:
        listening = socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=2048,
        )
    except OSError as error:
        problem = f"cannot listen there ({error.strerror})"
        raise InvalidInput(
            "port", settings.port, problem, remedy="Choose another with --port, or stop the program that uses it."
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # a caller who reads nothing any more is dropped with all that waits for it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LONGEST_SILENCE_MS)
    # asyncio sets this on sockets of its own only; without it a small answer waits 40 ms for the caller's receipt.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _end_on_signals(server: uvicorn.Server) -> None:
    """Let SIGTERM and SIGINT end the server, whenever they come, and nothing more.

    Before and while it serves they ask it to end. After its clean end uvicorn raises the signal again for whoever was
    there before; without a handler of ours the process would die before the store is closed.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
