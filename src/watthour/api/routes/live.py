"""The live line: rows in, news out, over one WebSocket."""

from http import HTTPStatus

from fastapi import APIRouter, WebSocket

from watthour.api.live import LiveLine
from watthour.api.problems import Refusal, answer
from watthour.api.state import ApiState

router = APIRouter(prefix="/api/v1")


@router.websocket("/live")
async def live(socket: WebSocket, state: ApiState) -> None:
    """Keep the rows that a caller sends, and tell what arrives of the channels it has subscribed to."""
    if state.app.news.n_hearers >= state.limits.live_lines:
        refusal = Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "busy",
            f"{state.limits.live_lines} live lines are open already.",
            remedy="Close one, or try again later.",
        )
        await socket.send_denial_response(answer(refusal.problem))
        return
    await LiveLine(socket, state).run()
