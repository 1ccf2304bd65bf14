"""What is sealed opens with the same key for the same use, and for nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.access.vault import SealBrokenError, Vault, VaultKeyError

VAULT = Vault(b"k" * 32)


@given(st.text(), st.text())
def test_what_is_sealed_is_opened(secret, about):
    sealed = VAULT.seal(secret, about)
    assert VAULT.unseal(sealed, about) == secret
    assert sealed != VAULT.seal(secret, about)


@given(st.text(), st.text(), st.text())
def test_nothing_opens_for_another_use(secret, about, other):
    if about != other:
        with pytest.raises(SealBrokenError):
            VAULT.unseal(VAULT.seal(secret, about), other)


@given(st.binary(max_size=80), st.data())
def test_what_was_changed_does_not_open(secret, data):
    sealed = VAULT.seal(secret.hex(), "x")
    packed = bytearray(base64.urlsafe_b64decode(sealed))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed = base64.urlsafe_b64encode(packed).decode()
    with pytest.raises(SealBrokenError):
        VAULT.unseal(changed, "x")
    with pytest.raises(SealBrokenError):
        Vault(b"l" * 32).unseal(sealed, "x")


@given(st.text())
def test_anything_else_does_not_open(made_up):
    with pytest.raises(SealBrokenError):
        VAULT.unseal(made_up, "x")


def test_the_key_is_made_once_for_its_owner_only(tmp_path):
    path = tmp_path / "keys" / "secrets.key"
    sealed = Vault.open(path).seal("secret", "x")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Vault.open(path).unseal(sealed, "x") == "secret"


@pytest.mark.parametrize("content", ["", "short", "AAAA", "z" * 44])
def test_a_file_without_a_key_is_refused(tmp_path, content):
    path = tmp_path / "secrets.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(VaultKeyError):
        Vault.open(path)


def test_a_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "secrets.key"
    Vault.open(path)
    path.chmod(0o640)
    with pytest.raises(VaultKeyError):
        Vault.open(path)
