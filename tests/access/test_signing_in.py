"""Only who knows the password, and holds the device, is signed in; and not for ever."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from jingwei import access, ledger
from jingwei.access import second_factor, sessions, signing_in, tokens
from jingwei.access.errors import (
    CodeError,
    CodeNeededError,
    LockedError,
    NotSetUpError,
    NotSignedInError,
    OpenModeError,
    SeparatedPersonError,
    SetupCodeError,
    SignInError,
    WeakPasswordError,
)
from jingwei.access.failures import FORGOTTEN_AFTER
from jingwei.access.models import FailureRow, PersonRow
from jingwei.access.signing_in import Credentials
from jingwei.access.vault import SealBrokenError, Vault
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.records import now_utc

GOOD = "correct horse battery staple"
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


VAULT = Vault(b"k" * 32)


def sign_in(records, password=GOOD, code="", *, login="wang", now=NOON):
    given = Credentials(login, password, code, address="10.0.0.7", agent="Firefox")
    return signing_in.sign_in(records, VAULT, given, now=now)


def test_the_first_start_makes_one_administrator_who_sets_a_password_first(records):
    with records.write() as session:
        lost = signing_in.first_start(session)
        code = signing_in.first_start(session)  # started again, for the first code was lost
        with pytest.raises(NotSetUpError):
            signing_in.check_set_up(session)
        (admin,) = access.people(session)
        assert [duty.role for duty in admin.duties] == ["system_administrator"]
    with pytest.raises(SignInError):
        sign_in(records, code, login="admin")
    with records.write() as session:
        for wrong in (lost, code + "x", ""):
            with pytest.raises(SetupCodeError):
                signing_in.set_first_password(session, wrong, GOOD)
        with pytest.raises(WeakPasswordError):
            signing_in.set_first_password(session, code, "admin12345")
        assert signing_in.whose_setup_code(session, code) == "admin"
        assert signing_in.set_first_password(session, code, GOOD) == "admin"
        signing_in.check_set_up(session)
        with pytest.raises(SetupCodeError):
            signing_in.set_first_password(session, code, GOOD)  # a code works once
        assert signing_in.first_start(session) is None
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
    asker = sessions.asker_of_session(records, sign_in(records), now=NOON)
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
        sessions.asker_of_session(records, token, now=NOON)
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
        sessions.asker_of_session(records, token, now=NOON + timedelta(minutes=31))
    now = NOON
    while now < NOON + timedelta(hours=12):
        assert sessions.asker_of_session(records, token, now=now)
        now += timedelta(minutes=29)
    with pytest.raises(NotSignedInError):
        sessions.asker_of_session(records, token, now=NOON + timedelta(hours=12, seconds=1))


def test_sessions_are_listed_and_ended(records, wang):
    first, second = sign_in(records, now=now_utc()), sign_in(records, now=now_utc())
    with records.write() as session:
        listed = sessions.sign_ins(session, wang, second)
        assert [one.this for one in listed] == [True, False]
        assert (listed[0].address, listed[0].agent) == ("10.0.0.7", "Firefox")
        sessions.end_sign_in(session, wang, listed[1].id)
        with pytest.raises(NotFoundError):
            sessions.end_sign_in(session, wang, listed[1].id)
    with pytest.raises(NotSignedInError):
        sessions.asker_of_session(records, first)
    assert sessions.asker_of_session(records, second)
    with records.write() as session:
        sessions.sign_out(session, second)
    with pytest.raises(NotSignedInError):
        sessions.asker_of_session(records, second)


def test_nobody_is_signed_in_by_a_made_up_token(records, wang):
    for token in ("", "x", "0" * 43):
        with pytest.raises(NotSignedInError):
            sessions.asker_of_session(records, token)
        with pytest.raises(NotSignedInError):
            tokens.asker_of_token(records, token)


def test_a_new_password_ends_what_the_old_one_began(records, wang):
    token = sign_in(records, now=now_utc())
    with pytest.raises(SignInError):
        signing_in.change_password(records, VAULT, wang, "wrong", "another good passphrase")
    with pytest.raises(WeakPasswordError):
        signing_in.change_password(records, VAULT, wang, GOOD, "wang1234567")
    assert sessions.asker_of_session(records, token)
    signing_in.change_password(records, VAULT, wang, GOOD, "another good passphrase")
    with pytest.raises(NotSignedInError):
        sessions.asker_of_session(records, token)
    with pytest.raises(SignInError):
        sign_in(records)
    assert sign_in(records, "another good passphrase")


@pytest.fixture
def device(records, wang):
    """wang's authenticator, set up; with the recovery codes."""
    with records.write() as session:
        offer = second_factor.offer(session, VAULT, wang, "经纬")
        totp = pyotp.parse_uri(offer.address)
        assert totp.secret == offer.secret
        with pytest.raises(CodeError):
            second_factor.set_up(session, VAULT, wang, offer.sealed, "000000x")
        codes = second_factor.set_up(session, VAULT, wang, offer.sealed, totp.now())
    return totp, codes


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
        with pytest.raises(ConflictError):
            second_factor.offer(session, VAULT, wang, "经纬")
        second_factor.remove(session, me, wang)
    assert sign_in(records)


def test_a_token_acts_for_its_person_until_it_expires(records, wang):
    now = now_utc()
    with records.write() as session:
        token, _ = tokens.issue_token(
            session, wang, "报表", frozenset({"dataset.read"}), now + timedelta(days=30)
        )
        (listed,) = tokens.tokens(session, wang)
    assert token not in str(listed)
    asker = tokens.asker_of_token(records, token)
    assert (asker.id, asker.only) == (
        f"person/{wang}",
        {"dataset.read", "dataset.list", "field.read", "place.read"},
    )
    with pytest.raises(NotSignedInError):
        tokens.asker_of_token(records, token, now=now + timedelta(days=31))
    with records.read() as session:
        assert tokens.tokens(session, wang)[0].used is not None


def test_a_revoked_token_is_worth_nothing(records, me, wang):
    with records.write() as session:
        token, _ = tokens.issue_token(
            session, wang, "t", frozenset({"log.read"}), now_utc() + timedelta(days=1)
        )
        number = tokens.tokens(session, wang)[0].id
        tokens.revoke_token(session, me, wang, number)
        with pytest.raises(NotFoundError):
            tokens.revoke_token(session, me, wang, number)
    with pytest.raises(NotSignedInError):
        tokens.asker_of_token(records, token)


@pytest.mark.parametrize(
    ("actions", "days"), [([], 1), (["log.read"], 0), (["log.read"], -1), (["log.read"], 400)]
)
def test_a_token_without_limits_is_refused(records, wang, actions, days):
    with records.write() as session, pytest.raises(BadRequestError):
        tokens.issue_token(session, wang, "t", frozenset(actions), now_utc() + timedelta(days=days))


def test_no_secret_is_kept_in_the_clear(records, wang, device):
    """What the store holds gives nobody a session, a token or a recovery code."""
    totp, codes = device
    with records.write() as session:
        token, _ = tokens.issue_token(
            session, wang, "t", frozenset({"log.read"}), now_utc() + timedelta(days=1)
        )
        begun = signing_in.vouched_for(session, wang, address="", agent="", id_token=None)
    with records.engine.connect() as connection:
        for table in ("person", "sign_in", "api_token", "event"):
            held = str(connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall())
            for secret in (GOOD, token, begun, totp.secret, *codes):
                assert secret not in held


def test_ended_sessions_and_tokens_are_forgotten(records, wang):
    old, new = sign_in(records), sign_in(records, now=now_utc())
    with records.write() as session:
        sessions.forget_ended(session, now_utc())
    with pytest.raises(NotSignedInError):
        sessions.asker_of_session(records, old, now=NOON)
    assert sessions.asker_of_session(records, new)


@pytest.mark.parametrize("login", ["wang", "nobody"])
def test_a_name_that_nobody_has_is_locked_like_any_other(records, wang, login):
    for _ in range(5):
        with pytest.raises(SignInError):
            sign_in(records, "wrong", login=login)
    with pytest.raises(LockedError) as caught:
        sign_in(records, "wrong", login=login)
    assert caught.value.where["seconds"] == 61
    with records.read() as session:
        (row,) = session.query(FailureRow)
        assert login.encode() not in row.name


def test_failures_are_forgotten_after_a_day(records, wang):
    for _ in range(4):
        with pytest.raises(SignInError):
            sign_in(records, "wrong")
    with pytest.raises(SignInError):
        sign_in(records, "wrong", now=NOON + FORGOTTEN_AFTER + timedelta(seconds=1))
    assert sign_in(records, now=NOON + FORGOTTEN_AFTER + timedelta(seconds=2))


def test_failures_to_confirm_count_like_those_to_sign_in(records, wang):
    for _ in range(5):
        with pytest.raises(SignInError):
            signing_in.check(records, VAULT, wang, "wrong")
    with pytest.raises(LockedError):
        signing_in.check(records, VAULT, wang, GOOD)
    with records.write() as session:
        signing_in.unlock(session, VAULT, wang)
    signing_in.check(records, VAULT, wang, GOOD)


def test_what_lasts_is_confirmed_with_both_factors(records, wang, device):
    totp, _ = device
    signing_in.check(records, VAULT, wang, GOOD)
    with pytest.raises(CodeNeededError):
        signing_in.check(records, VAULT, wang, GOOD, "")
    with pytest.raises(SignInError):
        signing_in.check(records, VAULT, wang, GOOD, "000000x")
    signing_in.check(records, VAULT, wang, GOOD, totp.at(now_utc() + timedelta(seconds=30)))


def test_an_offer_of_a_secret_serves_the_one_it_was_made_to(records, me, wang):
    with records.write() as session:
        offer = second_factor.offer(session, VAULT, wang, "经纬")
        li = access.add_person(session, me, "li", "李明")
        signing_in.set_first_password(session, signing_in.new_setup_code(session, me, li), GOOD)
        with pytest.raises(SealBrokenError):
            second_factor.set_up(session, VAULT, li, offer.sealed, pyotp.TOTP(offer.secret).now())
        with pytest.raises(SealBrokenError):
            second_factor.set_up(session, VAULT, wang, "AAAA", pyotp.TOTP(offer.secret).now())


def test_new_recovery_codes_end_the_old_ones(records, wang, device):
    _, codes = device
    with records.write() as session:
        renewed = second_factor.renew_recovery_codes(session, wang)
    with pytest.raises(SignInError):
        sign_in(records, GOOD, codes[0])
    assert sign_in(records, GOOD, renewed[0])


def test_a_setup_code_ends(records, me, wang):
    with records.write() as session:
        code = signing_in.new_setup_code(session, me, wang)
        session.get(PersonRow, wang).setup_until = now_utc() - timedelta(seconds=1)
        session.flush()
        with pytest.raises(SetupCodeError):
            signing_in.set_first_password(session, code, GOOD)


def test_no_administrator_gets_at_the_account_of_another(records, me, wang, device):
    """Who could reset the auditor's password would be the auditor as well."""
    with records.write() as session:
        access.give_role(session, me, wang, "auditor")
        for attack in (
            lambda: signing_in.new_setup_code(session, me, wang),
            lambda: second_factor.remove(session, me, wang),
            lambda: access.set_disabled(session, me, wang, disabled=True),
        ):
            with pytest.raises(SeparatedPersonError):
                attack()
        assert signing_in.new_setup_code(session, signing_in.SYSTEM, wang)


@pytest.mark.parametrize("actions", [{"account.use"}, {"log.read", "account.use"}, {"no.such"}])
def test_a_token_is_for_declared_actions_and_never_for_the_account_itself(records, wang, actions):
    with records.write() as session, pytest.raises(BadRequestError):
        tokens.issue_token(session, wang, "t", frozenset(actions), now_utc() + timedelta(days=1))
