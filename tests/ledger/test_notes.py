"""Signed notes and checkpoints are those of C2SP.

The key and the note are the vectors of golang.org/x/mod/sumdb/note.
"""

import base64
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jingwei.ledger import keys
from jingwei.ledger.keys import KeyFileError, Signer, check_signature
from jingwei.ledger.verify import Checkpoint, FormatError, Key, Note, check_by_openssl

VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NOTE = TEXT + "\n" + SIGNATURE

PETER = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(SEED))


def test_the_key_is_written_as_the_reference_writes_it():
    assert str(PETER.key) == VKEY
    assert Key.parse(VKEY) == PETER.key


def test_the_signature_is_that_of_the_reference():
    assert PETER.signature_line(TEXT) == SIGNATURE


@pytest.mark.parametrize("check", [check_signature, check_by_openssl])
def test_the_note_verifies_with_the_library_and_with_openssl(check):
    note = Note.parse(NOTE)
    assert note.text == TEXT
    assert note.signers([PETER.key], check) == [PETER.key]
    with pytest.raises(FormatError, match="is false"):
        Note.parse(NOTE.replace("cryptography", "cryptographY")).signers([PETER.key], check)


def test_signatures_of_unknown_keys_are_ignored():
    other = Signer("other", Ed25519PrivateKey.generate())
    note = Note.parse(NOTE + other.signature_line(TEXT))
    assert note.signers([PETER.key], check_signature) == [PETER.key]
    assert note.signers([], check_signature) == []


@pytest.mark.parametrize(
    "bad",
    [
        "",
        TEXT,
        TEXT + "\n",
        NOTE[:-1],
        NOTE.replace("—", "-"),
        NOTE.replace("x08go", "!08go"),
        NOTE + "\n",
        TEXT.replace("\n", "\r\n", 1) + "\n" + SIGNATURE,
    ],
)
def test_what_is_no_note_is_refused(bad):
    with pytest.raises(FormatError):
        Note.parse(bad)


@pytest.mark.parametrize("i", range(len(VKEY)))
def test_a_mangled_key_is_refused(i):
    mangled = VKEY[:i] + chr(ord(VKEY[i]) + 1) + VKEY[i + 1 :]
    with pytest.raises(FormatError):
        Key.parse(mangled)


def test_the_checkpoint_of_the_specification_reads_and_writes():
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint.parse(text)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert str(checkpoint) == text


@pytest.mark.parametrize(
    "bad",
    ["", "a\n1\n", "a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "a\n1\nAAAA\n", "\n1\nCsUY\n"],
)
def test_what_is_no_checkpoint_is_refused(bad):
    with pytest.raises(FormatError):
        Checkpoint.parse(bad)


def test_a_key_made_by_openssl_is_accepted(tmp_path):
    path = tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True, capture_output=True
    )
    path.chmod(0o600)
    signer = Signer("example.cn/log", keys.load(path))
    note = Note.parse(signer.sign(Checkpoint(signer.name, 0, bytes(32))))
    assert note.signers([signer.key], check_by_openssl) == [signer.key]


def test_a_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "key.pem"
    keys.generate(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(KeyFileError):
        keys.load(path)


@pytest.mark.parametrize("content", [b"", b"nothing", SEED])
def test_a_file_that_is_no_key_is_refused(tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError):
        keys.load(path)
