"""Reporters are told by what and of what they chose, at least once, and never more."""

import json
import secrets
import socketserver
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from jingwei.cases import citizens, regime
from jingwei.cases.citizens import CitizenReport, Contact
from jingwei.cases.errors import BadFieldError
from jingwei.cases.notices import Notices
from jingwei.city.channels import FileChannel, MailChannel, Notice, WebhookChannel, channels_of
from jingwei.city.settings import NoticeSettings
from jingwei.ledger.sealer import Sealer
from jingwei.records import now_utc
from jingwei.words import Text


class Refusing:
    def send(self, notice):
        raise OSError


@pytest.fixture
def told(office, tmp_path):
    """Notices to a file; calling gives what was sent so far."""
    notices = Notices(
        office.records, office.desk, {"email": FileChannel(tmp_path / "sent")}, Text("方城", "Square")
    )

    def told(now=None):
        Sealer(office.records, tmp_path / "log").seal_all()
        notices.follower.catch_up()
        notices.send(now)
        path = tmp_path / "sent"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    told.notices = notices
    return told


def reported(office, *wishes, email="me@example.org", language="zh", **more):
    report = CitizenReport(
        secrets.token_hex(16), "matter", "06001", 113.9, 22.5, language=language,
        contact=Contact(email=email, wishes=wishes), **more,
    )  # fmt: skip
    with office.records.write() as session:
        return citizens.take_in(session, office.desk, report)[0], report


def test_who_wants_every_step_is_told_once_of_each_in_his_language(office, told):
    case, _ = reported(office, "received", "progress", "done", language="en")
    assert len(told()) == 1
    office.act("acceptor", case, "accept")
    office.act("acceptor", case, "reject", reason="不属实")
    messages = told()
    assert told() == messages
    assert [one["to"] for one in messages] == ["me@example.org"] * 3
    assert messages[-1]["subject"] == f"Square: your report {case.number}: Not taken up"
    assert "不属实" not in messages[-1]["body"]


def test_who_wants_to_hear_of_the_end_only_hears_of_nothing_else(office, told):
    case, _ = reported(office, "done")
    office.act("acceptor", case, "accept")
    assert told() == []
    office.act("acceptor", case, "reject", reason="不属实")
    (message,) = told()
    assert message["number"] == case.number
    assert "没有立案" in message["subject"]


@pytest.mark.parametrize("wishes", [(), ("received",)])
def test_who_chose_nothing_more_is_told_nothing_more(office, told, wishes):
    case, _ = reported(office, *wishes)
    office.act("acceptor", case, "accept")
    assert len(told()) == len(wishes)


def test_what_one_does_oneself_is_not_told(office, told):
    _, report = reported(office, "progress", "done")
    with office.records.write() as session:
        citizens.act(session, office.desk, report.secret, "supplement", {"words": "还在"})
        citizens.act(session, office.desk, report.secret, "withdraw", {})
    assert told() == []


def test_who_changed_his_mind_before_it_was_sent_is_not_told(office, told):
    case, report = reported(office, "progress")
    office.act("acceptor", case, "accept")
    Sealer(office.records, office_folder(told)).seal_all()
    told.notices.follower.catch_up()
    with office.records.write() as session:
        citizens.set_contact(session, report.secret, Contact())
    assert told() == []


def office_folder(told):
    return told.notices.channels["email"].path.parent / "log"


def test_who_joined_is_told_of_the_main_case_by_his_own_number(office, told):
    main, _ = reported(office, email="first@example.org")
    joined, _ = reported(office, "progress", join=main.number)
    office.act("acceptor", main, "accept")
    messages = told()
    assert {(one["to"], one["number"]) for one in messages} == {("me@example.org", joined.number)}


def test_what_a_channel_does_not_take_is_tried_again_later(office, told):
    good = told.notices.channels["email"]
    told.notices.channels = {"email": Refusing()}
    reported(office, "received")
    now = now_utc()
    assert told(now) == []
    told.notices.channels = {"email": good}
    assert told(now) == []
    assert len(told(now + timedelta(minutes=2))) == 1


def test_a_follower_killed_before_its_end_tells_nothing_twice_to_who_was_noted(office, told):
    reported(office, "received")
    Sealer(office.records, office_folder(told)).seal_all()
    with office.records.read() as session:
        from jingwei.ledger import entries, size

        found = entries(session, 0, size(session), types=["case.reported"])
    for _ in range(2):
        with office.records.write() as session:
            told.notices.note(session, found)
    assert len(told()) == 1


MESSAGE = Notice("7.1", "email", "me@example.org", "方城：进展", "您好", "1", "https://a.example/end/ABC")


def test_an_email_reaches_a_mail_server():
    class Server(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 here\r\n")
            body = False
            for line in self.rfile:
                lines.append(line.decode().strip())
                if body:
                    body = lines[-1] != "."
                    if body:
                        continue
                if lines[-1].upper() == "DATA":
                    body = True
                    self.wfile.write(b"354 go on\r\n")
                    continue
                self.wfile.write(b"221 bye\r\n" if lines[-1].upper() == "QUIT" else b"250 fine\r\n")

    lines = []
    with answering(socketserver.TCPServer(("127.0.0.1", 0), Server)) as port:
        MailChannel("127.0.0.1", port, "city@example.org", tls=False).send(MESSAGE)
    assert "rcpt TO:<me@example.org>" in lines
    assert "Message-ID: <7.1@example.org>" in lines
    assert "List-Unsubscribe: <https://a.example/end/ABC>" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_a_gateway_is_given_json_and_what_it_refuses_raises():
    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(
                (self.headers["Authorization"], self.rfile.read(int(self.headers["Content-Length"])))
            )
            self.send_response(200 if len(posted) == 1 else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    posted = []
    with answering(HTTPServer(("127.0.0.1", 0), Gateway)) as port:
        channel = WebhookChannel(f"http://127.0.0.1:{port}/sms", "token")
        channel.send(MESSAGE)
        with pytest.raises(Exception, match="503"):
            channel.send(MESSAGE)
    assert posted[0][0] == "Bearer token"
    assert json.loads(posted[0][1])["to"] == "me@example.org"


@contextmanager
def answering(server):
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


OWN = {
    "subject_zh": "{city}·{number}", "subject_en": "{city} {number}", "body_zh": "{type}：{title}",
    "body_en": "{type}: {title} {{no}}", "short_zh": "{number} {title}", "short_en": "",
}  # fmt: skip


def test_a_city_says_it_in_its_own_words_in_both_languages(office, told):
    own = OWN | {"body_en": "{type}: {title}"}
    with office.records.write() as session:
        regime.adopt(session, office.staff["leader"], "settings", {"notices": {"received": own}})
    reported(office, "received")
    reported(office, "received", language="en")
    chinese, english = told()
    assert chinese["body"] == "私搭乱建：已收到"
    assert english["body"].endswith(": Received")
    assert english["subject"].startswith("Square ")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"body_en": "{reporter}"},
        {"body_zh": "{city.zh}"},
        {"body_zh": "{city!r}"},
        {"subject_zh": " "},
        {"subject_en": "a\nBcc: x@example.org"},
        {"body_zh": "x" * 2001},
    ],
)
def test_words_that_tell_what_nobody_may_know_are_refused(office, change):
    with office.records.write() as session, pytest.raises(BadFieldError):
        regime.adopt(session, office.staff["leader"], "settings", {"notices": {"done": OWN | change}})


def test_channels_are_those_that_the_settings_name(tmp_path):
    assert channels_of(NoticeSettings(), tmp_path) == {}
    named = NoticeSettings.model_validate(
        {
            "file": "sent",
            "mail": {"host": "mail.example.org", "sender": "city@example.org"},
            "webhook": [{"channel": "sms", "address": "https://sms.example.org"}],
        }
    )
    kinds = {name: type(one) for name, one in channels_of(named, tmp_path).items()}
    assert kinds == {"email": MailChannel, "sms": WebhookChannel, "wechat": FileChannel}
