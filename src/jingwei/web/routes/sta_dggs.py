"""SensorThings with cells, the draft extension OGC 26-057, at a root of its own beside the plain one.

The plain root stays as 18-088 has it: its list of sets may hold no others.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from jingwei.sense import policy
from jingwei.sense.cells import service
from jingwei.sense.service import Asked
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.dggs_sensing import aggregates_of
from jingwei.web.routes.sta import asked_of, base_of_request, sensing_of, written

ROOT = "/sta-dggs/v1.1"

router = APIRouter(prefix=ROOT, tags=["sense"], include_in_schema=False)


@router.get("", dependencies=[filtered(policy.READ)])
@router.get("/{path:path}", dependencies=[filtered(policy.READ)])
@router.head("", dependencies=[filtered(policy.READ)])
@router.head("/{path:path}", dependencies=[filtered(policy.READ)])
async def ask_with_cells(request: Request, asker: AskerOf, path: str = "") -> Response:
    """Answer for what the plain root has, for cells, and for figures that the policies show the asker."""
    asked = Asked("GET", path, request.scope["query_string"].decode("latin-1"))

    def work() -> Response:
        root = base_of_request(request) + ROOT
        answered = service.ask(sensing_of(request), asker, asked, root, lambda: aggregates_of(request, asker))
        return written(answered)

    return await run_in_threadpool(work)


@router.post("/{path:path}", dependencies=[filtered(policy.WRITE)])
@router.put("/{path:path}", dependencies=[filtered(policy.WRITE)])
@router.patch("/{path:path}", dependencies=[filtered(policy.WRITE)])
@router.delete("/{path:path}", dependencies=[filtered(policy.WRITE)])
async def change_with_cells(request: Request, asker: AskerOf, path: str) -> Response:
    """Create, change or delete what the policies let the asker; streams and readings may name their cell."""
    raw = await request.body()

    def work() -> Response:
        asked = asked_of(request, path, raw)
        root = base_of_request(request) + ROOT
        return written(
            service.change(sensing_of(request), asker, asked, root, lambda: aggregates_of(request, asker))
        )

    return await run_in_threadpool(work)
