"""Waiting for the verifiers: `wait` of POST /v1/revocations, at any replica."""

from __future__ import annotations

import asyncio

from fastapi.concurrency import run_in_threadpool

from services.revocation.decisions.receipts import Receipt
from services.revocation.decisions.views import RevocationView
from services.revocation.service import Revocation

_LOOK_S = 0.01
_ASK_S = 0.05  # acknowledgements that came to another replica are seen in the database only


async def wait_for(service: Revocation, found: RevocationView, seconds: float) -> Receipt:
    """Wait until every live verifier has applied it, so many seconds at most, and give the receipt as it is then."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    service.feed.urge()
    await run_in_threadpool(service.acks.flush)  # who was heard just now is live, too
    while True:
        stored, asked = service.acks.written.count, loop.time()
        receipt = await run_in_threadpool(service.receipt, found)
        if receipt.complete or loop.time() >= ends:
            return receipt
        while service.acks.written.count == stored and loop.time() < min(ends, asked + _ASK_S):  # noqa: ASYNC110  (threads count it)
            await asyncio.sleep(_LOOK_S)
