"""Where subscribers may be, and how what they are told is signed."""

import base64
import hashlib
import hmac
import socket

import pytest

from jingwei.exchange import signing
from jingwei.exchange.errors import BadSecretError, BadTargetError
from jingwei.exchange.targets import Targets


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("https://127.0.0.1/", "private"),
        ("https://localhost:8443/", "private"),
        ("https://10.1.2.3/", "private"),
        ("https://169.254.169.254/latest", "private"),
        ("https://100.64.0.1/", "private"),
        ("https://0.0.0.0/", "private"),
        ("https://[::1]/", "private"),
        ("https://[fe80::1]/", "private"),
        ("https://[fd00::1]/", "private"),
        ("https://[::ffff:127.0.0.1]/", "private"),
        ("https://[64:ff9b::7f00:1]/", "private"),
        ("https://[2002:7f00:1::]/", "private"),
        ("https://224.0.0.1/", "private"),
        ("https://2130706433/", "private"),
        ("http://8.8.8.8/", "plain"),
        ("ftp://8.8.8.8/", "form"),
        ("https://user@8.8.8.8/", "form"),
        ("https://8.8.8.8:99999/", "form"),
        ("https://8.8.8.8/#top", "form"),
        ("https://8.8.8.8/a b", "form"),
        ("https:///nowhere", "form"),
    ],
)
def test_a_subscriber_may_not_be_where_only_the_city_reaches(host, why):
    with pytest.raises(BadTargetError) as refused:
        Targets().of(host)
    assert refused.value.where["why"] == why


def test_public_addresses_and_nets_that_the_city_names_may_be_told():
    assert str(Targets().of("https://8.8.8.8:8443/events").address) == "8.8.8.8"
    assert str(Targets(["10.1.0.0/16"]).of("http://10.1.2.3/").address) == "10.1.2.3"
    with pytest.raises(BadTargetError):
        Targets(["10.1.0.0/16"]).of("http://10.2.2.3/")


def test_a_name_of_which_one_address_is_private_is_refused(monkeypatch):
    told = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("8.8.8.8", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: told)
    with pytest.raises(BadTargetError):
        Targets().of("https://two.example/")


def test_a_signature_is_that_of_standard_webhooks():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the test vector of its reference libraries
    found = signing.headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert hmac.compare_digest(
        found["webhook-signature"],
        "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode(),
    )


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_***", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
)
def test_a_secret_that_is_none_is_refused(secret):
    with pytest.raises(BadSecretError):
        signing.key_of(secret)
    assert len(signing.key_of(signing.new_secret())) == signing.MADE
