"""The key of the log lies apart, passes on by the log alone, and no other takes its place."""

import pytest
from sqlalchemy import select

from jingwei.access import vault
from jingwei.ledger import bundle, keys
from jingwei.ledger.keys import check_signature
from jingwei.ledger.models import Head
from jingwei.ledger.sealer import KEY_FILE, Sealer, WrongKeyError, key_folder_of
from jingwei.ledger.verify import check_bundle


@pytest.fixture
def older_home(records, tmp_path):
    """A city whose keys lie where they lay before, and the key that signs its log."""
    home = tmp_path / "city"
    sealer = Sealer(records, home / "log")
    sealer.seal_all()
    vault.Vault.open(home / "log" / vault.KEY_FILE)
    return home, sealer.signer.key


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_keys_of_an_older_city_are_moved_and_stay_the_same(records, older_home):
    home, key = older_home
    sealed = vault.Vault.open(home / "log" / vault.KEY_FILE).seal("secret", "x")
    for _ in range(2):
        sealer = Sealer(records, home / "log", key_folder=key_folder_of(home))
        opened = vault.Vault.open(keys.settled(home, vault.KEY_FILE))
        assert sealer.signer.key == key
        assert opened.unseal(sealed, "x") == "secret"
        assert names(home / "log") == ["checkpoint"]
        assert names(home / "keys") == ["log-key.pem", "secrets.key"]
    assert (home / "keys").stat().st_mode & 0o077 == 0


def test_a_new_city_takes_the_key_that_lies_there(records, tmp_path):
    private = keys.generate(tmp_path / "keys" / KEY_FILE)
    sealer = Sealer(records, tmp_path / "log", key_folder=key_folder_of(tmp_path))
    assert sealer.signer.private.private_bytes_raw() == private.private_bytes_raw()
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("another", [False, True])
def test_a_log_is_continued_by_its_own_key_alone(records, sealer, tmp_path, note, another):
    sealer.seal_all()
    (tmp_path / "log" / KEY_FILE).unlink()
    if another:
        keys.generate(tmp_path / "log" / KEY_FILE)
    note(1)
    with pytest.raises(WrongKeyError, match=r"example\.cn/log"):
        Sealer(records, tmp_path / "log")
    assert (tmp_path / "log" / KEY_FILE).exists() == another


def test_a_key_that_another_process_rotated_is_taken_up_with_the_next_seal(records, sealer, tmp_path, note):
    note(1)
    sealer.seal_all()
    first = sealer.signer.key
    second = Sealer(records, tmp_path / "log").rotate()
    note(2)
    sealer.seal_all()
    assert sealer.signer.key == second != first
    with records.read() as session:
        bundle.export(session, tmp_path / "log.zip")
        head = session.scalars(select(Head)).one()
    assert head.size == 4
    report = check_bundle(tmp_path / "log.zip", key=first, check=check_signature)
    assert report.sound, report.findings
