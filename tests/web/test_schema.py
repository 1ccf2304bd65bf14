"""Whatever the OpenAPI document allows, and much that it does not, is answered without a server error.

Asked by the one at the desk in open mode, by a person who is signed in, and by nobody in particular.
"""

from __future__ import annotations

import shutil
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from jingwei.access import add_department, departments, local_person, sessions
from jingwei.cases.hotline.policy import ROLES as HOTLINE
from jingwei.cases.lifecycle import REPORTER, ROLES, SYSTEM
from jingwei.city import open_city
from jingwei.web import OPEN, Entry, create_app
from jingwei.web.app import CITY_ROUTES
from jingwei.web.policies import declarations

from .people import person_of
from .streams import PATIENCE, ends


@pytest.fixture(scope="module")
def own(square, tmp_path_factory):
    """A copy of the square city: these questions change what they can."""
    home = tmp_path_factory.mktemp("schema") / "home"
    shutil.copytree(square.home, home)
    with open_city(home) as city:
        yield city


@pytest.fixture(scope="module")
def at_the_desk(own):
    """The operations of an application in open mode; to read them from its document takes seconds."""
    return operations_of(create_app(own, entry=OPEN))


@pytest.fixture(scope="module")
def behind_sign_in(own):
    """The operations of an application to which people sign in."""
    return operations_of(create_app(own, entry=Entry()))


def operations_of(app):
    """Return the operations of an application but the streams without end."""
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    found = [one.ok() for one in schema.get_all_operations()]
    assert found
    return [one for one in found if ends(one.path)]


def answers_of(operation, mode, examples=3, askers=({},)):
    """Return what the server answers to questions of one kind, each put by all who ask (by their headers)."""
    answers = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        for headers in askers:
            answer = case.call(headers=headers, timeout=PATIENCE)
            answers.append((operation.label, answer.status_code, answer.request.url))

    with suppress(Unsatisfiable):  # a question without parameters cannot be asked wrongly
        ask()
    return answers


def broken(answers):
    return [answer for answer in answers if answer[1] >= 500]


PARTS = 4
"""All operations are asked in so many tests, which may run beside each other."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("examples", [5, pytest.param(100, marks=pytest.mark.soak)])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_question_breaks_the_server(at_the_desk, mode, examples, part):
    for operation in at_the_desk[part::PARTS]:
        assert broken(answers_of(operation, mode, examples)) == []


def cookies_of(city, people):
    """Sign these people in; return what their browsers send."""
    cookies = []
    for person in people:
        token = sessions.new_token()
        with city.records.write() as session:
            sessions.begin(session, person, token, address="", agent="")
        cookies.append({"Cookie": f"jingwei={token}"})
    return cookies


@pytest.mark.parametrize("part", range(PARTS))
def test_no_question_of_who_is_signed_in_breaks_the_server(own, behind_sign_in, part):
    roles = ("system_administrator", "security_administrator")
    people = [person_of(own, f"schema-{part}-{role}", role) for role in roles]
    for operation in behind_sign_in[part::PARTS]:
        # Signed in anew for each: the question before may have been to sign out.
        answers = answers_of(operation, GenerationMode.POSITIVE, askers=cookies_of(own, people))
        assert broken(answers) == []


def test_no_question_about_cases_breaks_the_server_whoever_asks(own, behind_sign_in):
    department = "11430000006122244L"
    with own.records.write() as session:
        if department not in {one.code for one in departments(session)}:
            add_department(session, local_person(), department, "园林局")
    roles = [name for name in ROLES if name not in (REPORTER, SYSTEM)]
    assert len(roles) > 5
    cookies = cookies_of(
        own, [person_of(own, f"schema-{role}", role, department=department) for role in roles]
    )
    for operation in behind_sign_in:
        if operation.path.startswith("/api/cases"):
            answers = answers_of(operation, GenerationMode.POSITIVE, askers=cookies)
            assert broken(answers) == []


def test_no_question_about_calls_breaks_the_server_whoever_asks(own, behind_sign_in):
    cookies = cookies_of(own, [person_of(own, f"schema-{role}", role) for role in HOTLINE])
    for operation in behind_sign_in:
        if operation.path.startswith("/api/hotline"):
            answers = answers_of(operation, GenerationMode.POSITIVE, askers=cookies)
            assert broken(answers) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_nobody_in_particular_breaks_nothing_and_is_told_nothing(own, behind_sign_in, part):
    person_of(own, f"someone-{part}")
    declared = list(declarations(CITY_ROUTES))
    open_to_all = {
        (one.method, f"/api{one.path.replace(':path', '')}")
        for one in declared
        if one.how in ("open", "public")  # what strangers may ask: tests of the public answers tell the rest
    }
    assert len(open_to_all) < len(declared) / 4  # else the rest of this would tell of little
    for operation in behind_sign_in[part::PARTS]:
        answers = answers_of(operation, GenerationMode.POSITIVE)
        assert broken(answers) == []
        is_open = (operation.method.upper(), operation.path) in open_to_all
        if not is_open and not operation.path.startswith("/api/codes"):
            # No path holds a line break: such an address leads to no route, for anybody.
            told = {status for _, status, url in answers if "%0A" not in url}
            assert told <= {401, 422, 429}, operation.label
