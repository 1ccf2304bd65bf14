"""The settings of a city on this machine, `settings.toml` in its home: how it is served and signed in to.

`docs/operating.md` explains every key. Without the file everything has its default.
"""

from __future__ import annotations

import os
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from jingwei.access import roles
from jingwei.access.signing_in import is_local
from jingwei.errors import BadRequestError
from jingwei.words import Text

FILE = "settings.toml"


class BadSettingsError(BadRequestError):
    """The settings are not TOML, or say what cannot be."""

    code = "settings-invalid"

    def __init__(self, path: Path, faults: list[str]) -> None:
        listed = "; ".join(faults[:10])
        super().__init__(
            Text(f"配置文件 {path} 有误：{listed}", f"the settings in {path} are wrong: {listed}"),
            mend=Text("各项含义见 docs/operating.md", "docs/operating.md explains every key."),
            where={"file": str(path), "faults": faults[:50]},
        )


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServeSettings(_Part):
    """How the city is reached."""

    address: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: tuple[str, ...] = ()

    @field_validator("address")
    @classmethod
    def _origin(cls, address: str | None) -> str | None:
        if address is None:
            return None
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            msg = "an address is https:// and a host, and a port if need be"
            raise ValueError(msg)
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("behind_proxy")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ip_network(proxy)
        return proxies

    @model_validator(mode="after")
    def _cert_and_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            msg = "tls_cert and tls_key belong together"
            raise ValueError(msg)
        return self


class RoleRule(_Part):
    """A role that goes with a value of a claim; dots lead into a claim that is an object."""

    claim: str = Field(min_length=1)
    value: str
    role: str
    department: str = ""

    @field_validator("role")
    @classmethod
    def _declared(cls, role: str) -> str:
        if role not in roles():
            msg = f"there is no role {role}; the roles are {', '.join(roles())}"
            raise ValueError(msg)
        return role


class Title(_Part):
    """What the button says."""

    zh: str = Field(default="统一身份认证登录", min_length=1, max_length=60)
    en: str = Field(default="Sign in with the city's account", min_length=1, max_length=60)


class OidcSettings(_Part):
    """An OpenID provider that vouches for people."""

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: str | None = Field(default=None, repr=False)
    client_secret_file: Path | None = None
    title: Title = Title()
    scopes: tuple[str, ...] = ("openid", "profile")
    login_claim: str = "preferred_username"
    name_claim: str = "name"
    userinfo: bool = False
    add_people: bool = True
    role: tuple[RoleRule, ...] = ()

    @field_validator("issuer")
    @classmethod
    def _safe(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_local(parts.hostname or "")):
            msg = "an issuer is reached by https"
            raise ValueError(msg)
        return issuer

    @property
    def secret(self) -> str | None:
        """The secret that the provider gave: from its own file, the environment, or the settings."""
        if self.client_secret_file is not None:
            return self.client_secret_file.read_text("utf-8").strip()
        return os.environ.get(self._told_by) or self.client_secret

    _told_by: ClassVar[str] = "JINGWEI_OIDC_SECRET"


class CitizenOidcSettings(OidcSettings):
    """An OpenID provider behind whose accounts citizens may gather their reports; no names are asked for."""

    scopes: tuple[str, ...] = ("openid",)
    _told_by: ClassVar[str] = "JINGWEI_CITIZEN_OIDC_SECRET"


class SignInSettings(_Part):
    """Who else may vouch for people: for staff, and for citizens."""

    oidc: OidcSettings | None = None
    citizens: CitizenOidcSettings | None = None


class KeySettings(_Part):
    """Keys from outside, in place of those made in the city's home."""

    secrets: Path | None = None


class MailSettings(_Part):
    """The mail server by which reporters are told."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    sender: str = Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    user: str = ""
    password_file: Path | None = None
    tls: bool = True

    @property
    def password(self) -> str:
        """The password of the mail server, from its own file."""
        return self.password_file.read_text("utf-8").strip() if self.password_file is not None else ""


class HookSettings(_Part):
    """A gateway that takes messages as JSON, for SMS or an app."""

    channel: Literal["sms", "wechat"]
    address: str = Field(pattern=r"^https?://")
    token_file: Path | None = None

    @property
    def token(self) -> str:
        """What the gateway wants to be shown, from its own file."""
        return self.token_file.read_text("utf-8").strip() if self.token_file is not None else ""


class ReachSettings(_Part):
    """Who is reached under a name that rules give, and how: one of the staff, or whoever is on duty."""

    name: str = Field(min_length=1, max_length=200)
    email: str | None = Field(default=None, pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    sms: str | None = Field(default=None, min_length=1, max_length=40)
    wechat: str | None = Field(default=None, min_length=1, max_length=120)


class NoticeSettings(_Part):
    """By what reporters and staff are told; by nothing where nothing is named."""

    file: Path | None = None
    mail: MailSettings | None = None
    webhook: tuple[HookSettings, ...] = ()
    reach: tuple[ReachSettings, ...] = ()


class WebhookSettings(_Part):
    """Where subscribers of events may be, besides the public net."""

    private: tuple[str, ...] = ()

    @field_validator("private")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for one in networks:
            ip_network(one)
        return networks


class MappingSettings(_Part):
    """How plain JSON on one topic becomes readings."""

    topic: str = Field(min_length=1)
    stream: int | None = Field(default=None, ge=1)
    result: str = "value"
    time: str | None = None
    time_unit: Literal["iso", "s", "ms"] = "iso"
    key: str | None = None
    streams: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if (self.stream is None) == (self.key is None or not self.streams):
            msg = "give stream, or key and streams"
            raise ValueError(msg)
        return self


class MqttSettings(_Part):
    """The broker of readings: one that `jingwei up` starts, or one that is there."""

    enabled: bool = True
    broker: str | None = None
    port: int = Field(default=1883, ge=1, le=65535)
    host: str = "127.0.0.1"
    name: str | None = None
    password_file: Path | None = None
    person: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    devices_ca: Path | None = None
    mapping: tuple[MappingSettings, ...] = ()

    @model_validator(mode="after")
    def _cert_and_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            msg = "tls_cert and tls_key belong together"
            raise ValueError(msg)
        if self.devices_ca is not None and self.tls_cert is None:
            msg = "devices_ca needs tls_cert and tls_key"
            raise ValueError(msg)
        return self

    @field_validator("broker")
    @classmethod
    def _address(cls, broker: str | None) -> str | None:
        if broker is not None:
            parts = urlsplit(broker)
            if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
                msg = "a broker is mqtt:// or mqtts:// and a host, and a port if need be"
                raise ValueError(msg)
        return broker


class NatsSettings(_Part):
    """A stream of NATS JetStream in which readings wait for the city."""

    server: str
    stream: str = Field(default="READINGS", pattern=r"^[^\s.*>]+$")
    subject: str = Field(default="sense.observations", pattern=r"^[^\s*>]+$")
    durable: str = Field(default="jingwei", pattern=r"^[^\s.*>]+$")
    name: str | None = None
    password_file: Path | None = None
    person: str | None = None

    @field_validator("server")
    @classmethod
    def _address(cls, server: str) -> str:
        parts = urlsplit(server)
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            msg = "a server is nats:// or tls:// and a host, and a port if need be"
            raise ValueError(msg)
        return server


class SenseSettings(_Part):
    """How readings come in."""

    readings_per_minute: int = Field(default=600_000, ge=1)
    mqtt: MqttSettings = MqttSettings()
    nats: NatsSettings | None = None


class DatabaseSettings(_Part):
    """A database outside that may be read. No other is ever connected to, whoever asks."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    url: str = Field(min_length=1, repr=False)
    password_file: Path | None = None
    tables: tuple[str, ...] = ()

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        try:
            kind = make_url(url).get_backend_name()
        except (ArgumentError, ValueError):  # whose words may be a piece of the password
            kind = ""
        if kind not in ("postgresql", "mysql", "mariadb", "sqlite"):
            msg = (
                "a database is postgresql://, mariadb://, mysql:// or sqlite:///; a password with @, : or / "
                "stands in password_file"
            )
            raise ValueError(msg)
        return url


class Settings(_Part):
    """A whole `settings.toml`."""

    serve: ServeSettings = ServeSettings()
    sign_in: SignInSettings = SignInSettings()
    keys: KeySettings = KeySettings()
    notices: NoticeSettings = NoticeSettings()
    webhooks: WebhookSettings = WebhookSettings()
    sense: SenseSettings = SenseSettings()
    database: tuple[DatabaseSettings, ...] = ()

    @model_validator(mode="after")
    def _each_database_once(self) -> Self:
        names = [one.name for one in self.database]
        if len(set(names)) < len(names):
            msg = f"two databases are named {max(names, key=names.count)}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _address_for_oidc(self) -> Self:
        if self.sign_in.oidc is not None and self.serve.address is None:
            msg = "sign_in.oidc needs serve.address: the provider sends people back there"
            raise ValueError(msg)
        return self


def read_settings(home: Path) -> Settings:
    """Read the settings of the city in `home`.

    Raises
    ------
    BadSettingsError
        Naming every fault; never a value, for values may be secrets.

    """
    path = home / FILE
    if not path.is_file():
        return Settings()
    try:
        return Settings.model_validate(tomllib.loads(path.read_text("utf-8-sig")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettingsError(path, [str(error)]) from error
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, item['loc'])) or FILE}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise BadSettingsError(path, faults) from None
