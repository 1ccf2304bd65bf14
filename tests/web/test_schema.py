"""Whatever the OpenAPI document allows, and much that it does not, is answered without a server error."""

from __future__ import annotations

from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from jingwei.web import OPEN, create_app


@pytest.fixture(scope="module")
def operations(square):
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", create_app(square, entry=OPEN))
    found = [one.ok() for one in schema.get_all_operations()]
    return [one for one in found if one.path != "/api/events"]  # a stream without end: test_events.py


def faults_of(operation, mode):
    """Return the questions that the server broke on."""
    broken = []

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        answer = case.call()
        if answer.status_code >= 500:
            broken.append((operation.label, answer.status_code, answer.request.url))

    with suppress(Unsatisfiable):  # a question without parameters cannot be asked wrongly
        ask()
    return broken


@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
def test_no_question_breaks_the_server(operations, mode):
    assert operations
    assert [fault for operation in operations for fault in faults_of(operation, mode)] == []
