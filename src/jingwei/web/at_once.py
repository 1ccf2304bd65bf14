"""Small questions to the record store, answered at once where that takes no waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.records import Records

P = ParamSpec("P")
T = TypeVar("T")


async def at_once(records: Records, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns, which asks for nothing but what is kept while `records` do not change.

    A page of the map asks some hundred times a minute for the same few rows. A change to another thread
    costs more than the answer, so it is given here; where nothing is kept (PostgreSQL) a thread waits for it.
    """
    if records.state() is None:
        return await run_in_threadpool(work, *args, **kwargs)
    return work(*args, **kwargs)
