"""The policies in force, asked before a route answers. Every route declares its action by one of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends, Request

from jingwei.access.policy import Resource
from jingwei.access.policy.store import PolicyKeeper
from jingwei.web.reader import AskerOf

OPEN_TO_ALL = "open to all"
"""In place of an action, for what tells nothing of the city: signing in, and arithmetic on grid codes."""


def allowed(action: str, resource: Resource) -> Any:
    """Return a dependency that refuses the request unless its asker may do `action` with `resource`."""

    def check(request: Request, asker: AskerOf) -> None:
        _keeper(request).current().check(asker, action, resource)

    return _declared(action, check)


def allowed_own_account() -> Any:
    """Return a dependency that refuses the request unless its asker may manage the own account."""

    def check(request: Request, asker: AskerOf) -> None:
        account = Resource("Account", asker.id, {"person": asker.id})
        _keeper(request).current().check(asker, "account.use", account)

    return _declared("account.use", check)


def open_to_all() -> Any:
    """Return a dependency that lets every request pass, and says that this is meant."""

    def check() -> None:
        pass

    return _declared(OPEN_TO_ALL, check)


def _keeper(request: Request) -> PolicyKeeper:
    keeper: PolicyKeeper = request.app.state.policies
    return keeper


def _declared(action: str, check: Callable[..., None]) -> Any:
    """Return the check as a dependency that bears its action, so that the routes can be enumerated."""
    check.action = action  # type: ignore[attr-defined]
    return Depends(check)
