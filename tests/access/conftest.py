"""People to test with."""

import pytest

from jingwei import access

GOOD = "correct horse battery staple"


@pytest.fixture
def me():
    return access.local_person()


@pytest.fixture
def wang(records, me):
    """A person who has set a password; gives the identifier."""
    from jingwei.access import signing_in

    with records.write() as session:
        person = access.add_person(session, me, "wang", "王芳")
        code = signing_in.new_setup_code(session, me, person)
        signing_in.set_first_password(session, code, GOOD)
    return person
