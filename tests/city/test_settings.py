"""The settings of a city: checked whole, and no secret in an error."""

import pytest

from jingwei.city.settings import BadSettingsError, Settings, read_settings

OIDC = """
[serve]
address = "https://city.example"
[sign_in.oidc]
issuer = "https://id.example"
client_id = "jingwei"
client_secret = "very secret"
"""


def written(home, text):
    (home / "settings.toml").write_text(text, "utf-8")
    return read_settings(home)


def test_without_a_file_everything_has_its_default(tmp_path):
    assert read_settings(tmp_path) == Settings()


def test_settings_are_read(tmp_path):
    settings = written(tmp_path, OIDC + '[[sign_in.oidc.role]]\nclaim = "g"\nvalue = "v"\nrole = "staff"\n')
    assert settings.serve.address == "https://city.example"
    assert settings.sign_in.oidc.secret == "very secret"
    assert settings.sign_in.oidc.role[0].department == ""
    assert "very secret" not in repr(settings)


def test_the_secret_may_come_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("from a file\n")
    text = OIDC.replace('client_secret = "very secret"', f'client_secret_file = "{tmp_path / "secret"}"')
    assert written(tmp_path, text).sign_in.oidc.secret == "from a file"
    monkeypatch.setenv("JINGWEI_OIDC_SECRET", "from outside")
    assert written(tmp_path, OIDC).sign_in.oidc.secret == "from outside"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("serve = 1", "serve"),
        ("[serve]\ntls_cert = 'x'", "serve"),
        ("[serve]\naddress = 'city.example'", "serve.address"),
        ("[serve]\naddress = 'https://city.example/path'", "serve.address"),
        ("[serve]\nbehind_proxy = ['nowhere']", "serve.behind_proxy"),
        ("[serve]\nunknown = 1", "serve.unknown"),
        (OIDC.replace("https://id", "http://id"), "sign_in.oidc.issuer"),
        (OIDC.replace('address = "https://city.example"', ""), "settings.toml"),
        (OIDC + '[[sign_in.oidc.role]]\nclaim="g"\nvalue="v"\nrole="king"', "sign_in.oidc.role.0.role"),
        (OIDC + "no toml", "Expected"),
    ],
)
def test_what_cannot_be_is_named_and_no_secret_told(tmp_path, text, where):
    with pytest.raises(BadSettingsError) as caught:
        written(tmp_path, text)
    assert where in str(caught.value)
    assert "very secret" not in str(caught.value) + str(caught.value.where)
