"""People to test with."""

from functools import cache

import pytest
from argon2 import PasswordHasher

from jingwei import access
from jingwei.access import passwords

GOOD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch):
    """argon2id at its least cost: the rules are the same, the waiting is not."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    monkeypatch.setattr(passwords, "_nobody", cache(lambda: hasher.hash("nobody")))


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
        signing_in.set_first_password(session, "wang", code, GOOD)
    return person
