"""A password that is easy to guess is refused, with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.access.errors import WeakPasswordError
from jingwei.access.passwords import check_strength, hash_password, is_password


@pytest.mark.parametrize(
    "bad",
    [
        "short1!",
        "x" * 257,
        "aaaaaaaaaaaa",
        "121212121212",
        "Password123!",
        "p@ssw0rd2026",
        "1234567890",
        "abcdefghijkl",
        "qwertyuiop[]",
        "9876543210",
        "woaini1314520",
        "admin@2026!!",
        "jingwei-2026",
        "1qaz2wsx3edc",
    ],
)
def test_a_weak_password_is_refused(bad):
    with pytest.raises(WeakPasswordError):
        check_strength(bad)


def test_a_password_must_not_contain_the_name():
    with pytest.raises(WeakPasswordError, match="name"):
        check_strength("my name is Wangfang", "wangfang", "王芳")


@pytest.mark.parametrize("good", ["correct horse battery staple", "青山 遮不住 毕竟东流去", "kX7#mq2Lw9!z"])
def test_a_good_password_is_accepted(good):
    check_strength(good, "wang", "王芳")


def test_a_hash_is_argon2id_and_salted():
    first, second = hash_password("correct horse"), hash_password("correct horse")
    assert first.startswith("$argon2id$")
    assert first != second


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_only_the_same_password_is_the_password(one, other):
    import unicodedata

    same = unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other)
    assert is_password(other, hash_password(one)) is same


def test_nothing_is_the_password_where_none_is_kept():
    assert not is_password("nobody", None)
    assert not is_password("nobody has this password", None)
