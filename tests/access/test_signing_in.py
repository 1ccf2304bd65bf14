"""Only who knows the password, and holds the device, is signed in; and not for ever."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from jingwei import access, ledger
from jingwei.access import signing_in
from jingwei.access.errors import (
    CodeNeededError,
    LockedError,
    NotSetUpError,
    NotSignedInError,
    OpenModeError,
    SignInError,
    WeakPasswordError,
)
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.records import now_utc

GOOD = "correct horse battery staple"
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


def sign_in(records, password=GOOD, code="", *, login="wang", now=NOON):
    return signing_in.sign_in(records, login, password, code, address="10.0.0.7", agent="Firefox", now=now)


def test_the_first_start_makes_one_administrator_who_sets_a_password_first(records):
    with records.write() as session:
        code = signing_in.first_start(session)
        assert signing_in.first_start(session) is None
        with pytest.raises(NotSetUpError):
            signing_in.check_set_up(session)
        (admin,) = access.people(session)
        assert [duty.role for duty in admin.duties] == ["system_administrator"]
    with pytest.raises(SignInError):
        sign_in(records, code, login="admin")
    with records.write() as session:
        with pytest.raises(SignInError):
            signing_in.set_first_password(session, "admin", code + "x", GOOD)
        with pytest.raises(WeakPasswordError):
            signing_in.set_first_password(session, "admin", code, "admin12345")
        signing_in.set_first_password(session, "admin", code, GOOD)
        signing_in.check_set_up(session)
        with pytest.raises(SignInError):
            signing_in.set_first_password(session, "admin", code, GOOD)  # a code works once
    assert sign_in(records, login="admin")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_open_mode_is_allowed_at_this_machine(host):
    signing_in.check_open(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "city.example", "localhost.evil.example", ""]
)
def test_open_mode_is_refused_elsewhere(host):
    with pytest.raises(OpenModeError):
        signing_in.check_open(host)


def test_who_knows_the_password_is_signed_in(records, wang):
    asker = signing_in.asker_of_session(records, sign_in(records), now=NOON)
    assert asker.id == f"person/{wang}"
    assert sign_in(records, login=" WANG ")


@pytest.mark.parametrize(("login", "password"), [("wang", "wrong"), ("nobody", GOOD), ("wang", ""), ("", "")])
def test_the_same_is_said_whatever_is_wrong(records, wang, login, password):
    with pytest.raises(SignInError, match="the name, the password or the code is not right"):
        sign_in(records, password, login=login)


def test_a_disabled_person_is_signed_out_and_stays_out(records, me, wang):
    token = sign_in(records)
    with records.write() as session:
        access.set_disabled(session, me, wang, disabled=True)
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_session(records, token, now=NOON)
    with pytest.raises(SignInError):
        sign_in(records)
    with records.write() as session:
        access.set_disabled(session, me, wang, disabled=False)
    assert sign_in(records)


def test_failures_lock_the_account_for_longer_and_longer(records, wang):
    now, waits = NOON, []
    for _ in range(5):
        with pytest.raises(SignInError):
            sign_in(records, "wrong", now=now)
    for _ in range(8):
        with pytest.raises(LockedError) as caught:
            sign_in(records, now=now)  # even with the right password
        waits.append(caught.value.where["seconds"])
        now += timedelta(seconds=waits[-1])
        with pytest.raises(SignInError):
            sign_in(records, "wrong", now=now)
    assert waits == [61, 121, 241, 481, 961, 1921, 3601, 3601]
    now += timedelta(hours=2)
    assert sign_in(records, now=now)
    with pytest.raises(SignInError):
        sign_in(records, "wrong", now=now)  # counting starts anew
    with records.read() as session:
        locked = [e for e in ledger.events_of(session, f"person/{wang}") if e.type == "person.locked"]
    assert len(locked) == 9


def test_a_session_ends_when_idle_and_when_old(records, wang):
    token = sign_in(records)
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_session(records, token, now=NOON + timedelta(minutes=31))
    now = NOON
    while now < NOON + timedelta(hours=12):
        assert signing_in.asker_of_session(records, token, now=now)
        now += timedelta(minutes=29)
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_session(records, token, now=NOON + timedelta(hours=12, seconds=1))


def test_sessions_are_listed_and_ended(records, wang):
    first, second = sign_in(records, now=now_utc()), sign_in(records, now=now_utc())
    with records.write() as session:
        listed = signing_in.sign_ins(session, wang, second)
        assert [one.this for one in listed] == [True, False]
        assert (listed[0].address, listed[0].agent) == ("10.0.0.7", "Firefox")
        signing_in.end_sign_in(session, wang, listed[1].id)
        with pytest.raises(NotFoundError):
            signing_in.end_sign_in(session, wang, listed[1].id)
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_session(records, first)
    assert signing_in.asker_of_session(records, second)
    with records.write() as session:
        signing_in.sign_out(session, second)
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_session(records, second)


def test_nobody_is_signed_in_by_a_made_up_token(records, wang):
    for token in ("", "x", "0" * 43):
        with pytest.raises(NotSignedInError):
            signing_in.asker_of_session(records, token)
        with pytest.raises(NotSignedInError):
            signing_in.asker_of_token(records, token)


def test_a_new_password_ends_what_the_old_one_began(records, wang):
    token = sign_in(records, now=now_utc())
    with records.write() as session:
        with pytest.raises(SignInError):
            signing_in.change_password(session, wang, "wrong", "another good passphrase")
        signing_in.change_password(session, wang, GOOD, "another good passphrase")
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_session(records, token)
    with pytest.raises(SignInError):
        sign_in(records)
    assert sign_in(records, "another good passphrase")


@pytest.fixture
def device(records, wang):
    """wang's authenticator, set up; with the recovery codes."""
    with records.write() as session:
        secret, address = signing_in.offer_second_factor(session, wang, "经纬")
        assert pyotp.parse_uri(address).secret == secret
        with pytest.raises(SignInError):
            signing_in.set_second_factor(session, wang, secret, "000000x")
        codes = signing_in.set_second_factor(session, wang, secret, pyotp.TOTP(secret).now())
    return pyotp.TOTP(secret), codes


def test_the_code_of_the_device_is_needed_and_works_once(records, device):
    totp, _ = device
    later = now_utc() + timedelta(minutes=5)
    with pytest.raises(CodeNeededError):
        sign_in(records, now=later)
    with pytest.raises(SignInError):
        sign_in(records, "wrong", totp.at(later), now=later)
    with pytest.raises(SignInError):
        sign_in(records, GOOD, totp.at(later - timedelta(minutes=3)), now=later)
    assert sign_in(records, GOOD, totp.at(later), now=later)
    with pytest.raises(SignInError):
        sign_in(records, GOOD, totp.at(later), now=later)
    behind = later + timedelta(minutes=2)
    assert sign_in(records, GOOD, totp.at(behind - timedelta(seconds=30)), now=behind)


def test_a_recovery_code_works_once_each(records, device):
    _, codes = device
    assert len(set(codes)) == 10
    assert sign_in(records, GOOD, codes[0].upper())
    with pytest.raises(SignInError):
        sign_in(records, GOOD, codes[0])
    assert sign_in(records, GOOD, codes[1])


def test_guessing_codes_locks_the_account(records, device):
    for _ in range(5):
        with pytest.raises(SignInError):
            sign_in(records, GOOD, "abcdef")
    with pytest.raises(LockedError):
        sign_in(records, GOOD, "abcdef")


def test_a_lost_device_is_removed_by_an_administrator(records, me, wang, device):
    with records.write() as session:
        with pytest.raises(BadRequestError):
            signing_in.set_second_factor(session, wang, "A" * 32, "123456")
        signing_in.remove_second_factor(session, me, wang)
    assert sign_in(records)


def test_a_token_acts_for_its_person_until_it_expires(records, wang):
    now = now_utc()
    with records.write() as session:
        token = signing_in.issue_token(
            session, wang, "报表", frozenset({"dataset.read"}), now + timedelta(days=30)
        )
        (listed,) = signing_in.tokens(session, wang)
    assert token not in str(listed)
    asker, actions = signing_in.asker_of_token(records, token)
    assert (asker.id, actions) == (f"person/{wang}", {"dataset.read"})
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_token(records, token, now=now + timedelta(days=31))
    with records.read() as session:
        assert signing_in.tokens(session, wang)[0].used is not None


def test_a_revoked_token_is_worth_nothing(records, me, wang):
    with records.write() as session:
        token = signing_in.issue_token(session, wang, "t", frozenset({"a"}), now_utc() + timedelta(days=1))
        number = signing_in.tokens(session, wang)[0].id
        signing_in.revoke_token(session, me, wang, number)
        with pytest.raises(NotFoundError):
            signing_in.revoke_token(session, me, wang, number)
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_token(records, token)


@pytest.mark.parametrize(("actions", "days"), [([], 1), (["a"], 0), (["a"], -1), (["a"], 400)])
def test_a_token_without_limits_is_refused(records, wang, actions, days):
    with records.write() as session, pytest.raises(BadRequestError):
        signing_in.issue_token(session, wang, "t", frozenset(actions), now_utc() + timedelta(days=days))


def test_no_secret_is_kept_in_the_clear(records, wang, device):
    """What the store holds gives nobody a session, a token or a recovery code."""
    _, codes = device
    with records.write() as session:
        token = signing_in.issue_token(session, wang, "t", frozenset({"a"}), now_utc() + timedelta(days=1))
        begun = signing_in.begin_session(session, wang, by="oidc", address="", agent="")
    with records.engine.connect() as connection:
        for table in ("person", "sign_in", "api_token", "event"):
            held = str(connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall())
            for secret in (GOOD, token, begun, *codes):
                assert secret not in held


def test_ended_sessions_and_tokens_are_forgotten(records, wang):
    old, new = sign_in(records), sign_in(records, now=now_utc())
    with records.write() as session:
        signing_in.forget_ended(session)
    with pytest.raises(NotSignedInError):
        signing_in.asker_of_session(records, old, now=NOON)
    assert signing_in.asker_of_session(records, new)
