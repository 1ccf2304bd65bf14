"""What each route does with what, declared beside it and asked of the policies before it answers.

Every route says one of four things: `allowed` (the policies are asked before it runs), `filtered` (it shows
of many things those for which they allow it), `public` (the same for anybody, without an account), or
`open_to_all` (it tells nothing of the city). A route that
says nothing is a fault that `declarations` brings to light.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from jingwei.access.policy import Policies, RefusedError, Resource
from jingwei.access.policy.vocabulary import actions
from jingwei.cases.policy import STRANGER
from jingwei.web.at_once import at_once
from jingwei.web.reader import AskerOf

if TYPE_CHECKING:
    from fastapi import APIRouter

    from jingwei.access import Asker
    from jingwei.access.policy.store import PolicyKeeper
    from jingwei.lake.views import Views
    from jingwei.web.gate import Gate

ResourceOf = Callable[..., Any]
"""A dependency that finds the resource of a request."""

CITY = Resource("City")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What one route declares."""

    method: str
    path: str
    actions: tuple[str, ...]
    """What is done; one of them is enough. Empty where the route is open to all."""
    how: str
    """`allowed`, `filtered`, `public` or `open`."""


def policies_of(request: Request) -> Policies:
    """Return the policies in force."""
    keeper: PolicyKeeper = request.app.state.policies
    return keeper.current()


def allowed(action: str | tuple[str, ...], resource: Resource | ResourceOf) -> Any:
    """Return a dependency that refuses the request unless its asker may do one of `action` with `resource`.

    Parameters
    ----------
    action
        A declared action, or several of which one is enough; a refusal names the first.
    resource
        What it is done with, or a dependency that finds it.

    """
    wanted = (action,) if isinstance(action, str) else action
    _check_known(wanted)
    return Depends(_marked(_checker(wanted, resource), wanted, "allowed"))


def filtered(action: str) -> Any:
    """Return a dependency by which a route declares that it shows only what `action` is allowed with."""
    _check_known((action,))

    async def nothing() -> None:
        """Check nothing: the route itself leaves out what is not allowed."""

    return Depends(_marked(nothing, (action,), "filtered"))


def allowed_own_account() -> Any:
    """Return a dependency that refuses the request unless its asker may manage the own account."""
    return allowed("account.use", _own_account)


async def _own_account(asker: AskerOf) -> Resource:
    return Resource("Account", asker.id, {"person": asker.id})


def open_to_all(*, before_set_up: bool = False) -> Any:
    """Return a dependency that lets every request pass, at a rate, and says that this is meant.

    For what tells nothing of the city: signing in, and arithmetic on grid codes. What serves to set the
    city up passes before that is done, too.
    """

    def check(request: Request) -> None:
        gate: Gate | None = getattr(request.app.state, "gate", None)
        if gate is not None:
            gate.count_stranger(request)
            if not before_set_up:
                gate.check_set_up()

    return Depends(_marked(check, (), "open"))


def public(action: str, resource: Resource = CITY) -> Any:
    """Return a dependency that lets a request pass where anybody may do `action`, whoever asks.

    For what the city tells and hears without an account. The policies are asked about a stranger: a city that
    wants none of it says so there. What is shown of single things is filtered by the route.
    """
    _check_known((action,))

    def decide(gate: Gate, keeper: PolicyKeeper) -> None:
        gate.check_set_up()
        if resource.kind in actions()[action].resources:
            decision = keeper.current().decide(STRANGER, action, resource)
            if not decision.allowed:
                raise RefusedError(action, decision)

    async def check(request: Request) -> None:
        gate: Gate = request.app.state.gate
        gate.count_stranger(request)
        await at_once(gate.records, decide, gate, request.app.state.policies)

    return Depends(_marked(check, (action,), "public"))


def _check_known(names: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in actions()]
    if unknown:
        msg = f"no part has declared the action {unknown[0]}"
        raise ValueError(msg)


def _marked(check: Callable[..., Any], names: tuple[str, ...], how: str) -> Callable[..., Any]:
    check.declared = (names, how)  # type: ignore[attr-defined]  # read by `declarations`
    return check


def _checker(names: tuple[str, ...], resource: Resource | ResourceOf) -> Callable[..., Any]:
    def decide(policies: PolicyKeeper, asker: Asker, wanted: Resource, views: Views | None = None) -> None:
        current = policies.current()
        if views is None:
            decisions = [current.decide(asker, name, wanted) for name in names]
        else:
            decisions = [views.decide(current, asker, name, wanted) for name in names]
        if not any(decision.allowed for decision in decisions):
            raise RefusedError(names[0], decisions[0])

    if isinstance(resource, Resource):
        fixed = resource

        async def check(request: Request, asker: AskerOf) -> None:
            keeper: PolicyKeeper = request.app.state.policies
            await at_once(keeper.records, decide, keeper, asker, fixed)

        return check

    async def check_found(request: Request, asker: AskerOf, wanted: Resource = Depends(resource)) -> None:  # noqa: B008 -- FastAPI's way
        keeper: PolicyKeeper = request.app.state.policies
        views: Views | None = request.app.state.city.lake.views if wanted.kind == "Dataset" else None
        await at_once(keeper.records, decide, keeper, asker, wanted, views)

    return check_found


def declarations(routers: Iterable[APIRouter]) -> Iterator[Declaration]:
    """Yield what the routes of routers declare.

    Raises
    ------
    LookupError
        Naming a route that declares nothing.

    """
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield from _declared_by(route)


def _declared_by(route: APIRoute) -> Iterator[Declaration]:
    found = [
        declared
        for dependency in route.dependant.dependencies
        if (declared := getattr(dependency.call, "declared", None)) is not None
    ]
    if not found:
        msg = f"{sorted(route.methods or ())} {route.path} ({route.endpoint.__module__}) declares no action"
        raise LookupError(msg)
    for method in sorted(route.methods or ()):
        for names, how in found:
            yield Declaration(method, route.path, names, how)
