"""The asynchronous peer: Starlette and httpx pass the provider's bytes on as they come."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

BASE_URL = os.environ["OPENAI_BASE_URL"]


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=None, limits=unlimited, trust_env=False) as client:
        app.state.client = client
        yield


async def pass_on(request: Request) -> StreamingResponse:
    client: httpx.AsyncClient = request.app.state.client
    question = client.build_request(
        "POST",
        f"{BASE_URL}/chat/completions",
        content=await request.body(),
        headers={"Content-Type": "application/json", "Authorization": "Bearer x"},
    )
    answer = await client.send(question, stream=True)

    async def chunks() -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_raw():
                yield chunk
        finally:
            await answer.aclose()

    return StreamingResponse(chunks(), status_code=answer.status_code, media_type="text/event-stream")


app = Starlette(
    routes=[Route("/v1/chat/completions", pass_on, methods=["POST"])],
    lifespan=lifespan,
)
