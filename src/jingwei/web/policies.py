"""The policies in force, asked before a route answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request

from jingwei.access.policy import Resource
from jingwei.access.policy.store import PolicyKeeper
from jingwei.web.reader import AskerOf


def allowed(action: str, resource: Resource) -> Any:
    """Return a dependency that refuses the request unless its asker may do `action` with `resource`."""
    return Depends(_checker(action, resource))


def _checker(action: str, resource: Resource) -> Callable[[Request, AskerOf], None]:
    def check(request: Request, asker: AskerOf) -> None:
        keeper: PolicyKeeper = request.app.state.policies
        keeper.current().check(asker, action, resource)

    return check
