"""Every route says what it does with what; one that does not is found."""

from __future__ import annotations

import pytest
from fastapi import APIRouter

from jingwei.access.policy import Resource
from jingwei.access.policy.vocabulary import actions
from jingwei.web.app import CITY_ROUTES, STANDARD_ROUTES
from jingwei.web.policies import allowed, declarations
from jingwei.web.routes import codes

ROUTERS = (codes.router, *CITY_ROUTES)


def test_every_route_declares_its_action(client):
    declared = {(one.method.lower(), f"/api{one.path}") for one in declarations(ROUTERS)}
    document = client.get("/api/openapi.json").json()
    served = {
        (method, path.replace("{path}", "{path:path}"))
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert served == declared


def test_every_route_of_a_standard_declares_its_action():
    declared = {(one.method, one.path) for one in declarations(STANDARD_ROUTES)}
    served = {
        (method, route.path)
        for router in STANDARD_ROUTES
        for route in router.routes
        for method in route.methods
    }
    assert served == declared


def test_every_declared_action_is_known():
    for one in declarations((*ROUTERS, *STANDARD_ROUTES)):
        assert set(one.actions) <= set(actions())
        assert one.actions or one.how == "open"


def test_a_route_that_declares_nothing_is_found():
    router = APIRouter()
    router.get("/secret")(lambda: "told to everyone")
    with pytest.raises(LookupError, match="/secret"):
        list(declarations([router]))


def test_what_nobody_declared_cannot_be_asked_for():
    with pytest.raises(ValueError, match=r"dataset\.eat"):
        allowed("dataset.eat", Resource("City"))
