"""Ways to people: mail, a gateway for SMS or an app, a file. One interface; settings say which there are."""

from __future__ import annotations

import json
import smtplib
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jingwei.city.settings import NoticeSettings

CHANNELS = ("email", "sms", "wechat")
MOST_TRIES = 10
PATIENCE = 15.0
"""Seconds that a mail server or a webhook is given."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to one person; `id` is the same however often it is sent."""

    id: str
    channel: str
    to: str
    subject: str
    body: str
    number: str
    end: str = ""
    """Where a single POST ends messages of its kind (RFC 8058); empty where that is not offered."""


class Channel(Protocol):
    """A way to a person. What is sent twice bears the same `id`, by which the other side can tell."""

    def send(self, notice: Notice) -> None:
        """Send a message, or raise."""


class FileChannel:
    """Writes messages as lines of a file: for trying, and for cities that fetch them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, notice: Notice) -> None:
        """Add a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(notice), ensure_ascii=False) + "\n")


class MailChannel:
    """Sends e-mail by a mail server (SMTP)."""

    def __init__(
        self, host: str, port: int, sender: str, *, user: str = "", password: str = "", tls: bool = True
    ) -> None:
        self.host, self.port, self.sender = host, port, sender
        self.user, self.password, self.tls = user, password, tls

    def send(self, notice: Notice) -> None:
        """Send an e-mail."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, notice.to, notice.subject
        message["Message-ID"] = f"<{notice.id}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        if notice.end:
            message["List-Unsubscribe"] = f"<{notice.end}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(notice.body)
        with smtplib.SMTP(self.host, self.port, timeout=PATIENCE) as server:
            if self.tls:
                server.starttls()
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message)


class WebhookChannel:
    """Hands messages to a city's gateway for SMS or for an app, as JSON."""

    def __init__(self, address: str, token: str = "") -> None:
        self.address, self.token = address, token

    def send(self, notice: Notice) -> None:
        """Post a message; whatever is not a success raises."""
        import httpx2

        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = httpx2.post(self.address, json=asdict(notice), headers=headers, timeout=PATIENCE)
        answer.raise_for_status()


def channels_of(settings: NoticeSettings, home: Path) -> dict[str, Channel]:
    """Return the channels that a city's settings name; a file stands for all that have none of their own."""
    found: dict[str, Channel] = {}
    if settings.file is not None:
        found = dict.fromkeys(CHANNELS, FileChannel(home / settings.file))
    if settings.mail is not None:
        mail = settings.mail
        found["email"] = MailChannel(
            mail.host, mail.port, mail.sender, user=mail.user, password=mail.password, tls=mail.tls
        )
    for hook in settings.webhook:
        found[hook.channel] = WebhookChannel(hook.address, hook.token)
    return found
