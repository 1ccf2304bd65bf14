"""An identifier is checked before it is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.registry.identifiers import (
    ALPHABET,
    NotAnIdentifierError,
    check_character,
    new_identifiers,
    parse_identifier,
)

IDENTIFIERS = new_identifiers(2000)


def test_the_check_character_is_that_of_iso_7064():
    # The example of GB/T 36904: type, issuer, serial and version of a licence, and its check character.
    assert check_character("11100000000013338W01111430000006122244L20230000403001") == "U"


def test_identifiers_differ_and_are_well_formed():
    assert len(set(IDENTIFIERS)) == len(IDENTIFIERS)
    assert all(parse_identifier(identifier) == identifier for identifier in IDENTIFIERS)


def test_what_a_person_types_is_understood():
    identifier = next(one for one in IDENTIFIERS if "1" in one[:12] and "0" in one[:12])
    typed = f"{identifier[:4]}-{identifier[4:8]} {identifier[8:12]}-{identifier[12]}".lower()
    assert parse_identifier(typed) == identifier
    assert (
        parse_identifier(identifier[:12].replace("1", "l").replace("0", "O") + identifier[12]) == identifier
    )


@given(st.sampled_from(IDENTIFIERS), st.integers(0, 11), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(identifier, at, character):
    if identifier[at] == character:
        return
    with pytest.raises(NotAnIdentifierError):
        parse_identifier(identifier[:at] + character + identifier[at + 1 :])


@given(st.text(max_size=20))
def test_other_texts_are_refused_clearly(text):
    with pytest.raises(NotAnIdentifierError, match="13"):
        parse_identifier(text)
