"""The log can be read, and what it hands out is checked by who receives it."""

import pytest

from jingwei import ledger, registry
from jingwei.access import local_person
from jingwei.access.policy.store import adopt, default_policies
from jingwei.ledger.keys import check_signature
from jingwei.ledger.sealer import Sealer
from jingwei.ledger.verify import Checkpoint, Frontier, Note, check_receipt, leaf_hash, unpack_entries


@pytest.fixture(scope="module")
def sealer(square, tmp_path_factory):
    """The square city's log, sealed."""
    sealer = Sealer(square.records, tmp_path_factory.mktemp("log"))
    sealer.seal_all()
    return sealer


def test_the_log_is_searched_newest_first_and_page_by_page(client, sealer):
    whole = client.get("/api/log", params={"limit": 200}).json()
    assert [one["position"] for one in whole["events"]] == list(range(whole["size"]))[::-1]
    seen, before = [], None
    while True:
        page = client.get(
            "/api/log", params={"limit": 3} | ({"before": before} if before is not None else {})
        ).json()
        seen += page["events"]
        before = page["before"]
        if before is None:
            break
    assert seen == whole["events"]
    kinds = client.get("/api/log", params={"type": "dataset.published"}).json()["events"]
    assert kinds
    assert {one["type"] for one in kinds} == {"dataset.published"}
    about = client.get("/api/log", params={"subject": kinds[0]["subject"]}).json()["events"]
    assert {one["subject"] for one in about} == {kinds[0]["subject"]}
    assert kinds[0]["says"] == client.get("/api/log/types").json()["dataset.published"]


def test_a_receipt_proves_its_event(client, sealer):
    answer = client.get("/api/log/1/receipt")
    assert answer.headers["content-disposition"] == 'attachment; filename="1.tlog-proof"'
    report = check_receipt(answer.text, key=sealer.signer.key, check=check_signature)
    assert report.sound, report.findings


def test_the_tiles_lead_to_the_signed_checkpoint(client, sealer):
    note = Note.parse(client.get("/api/log/checkpoint").text)
    assert note.signers([sealer.signer.key], check_signature)
    point = Checkpoint.parse(note.text)
    assert point.size < 256
    entries = unpack_entries(client.get(f"/api/log/tile/entries/000.p/{point.size}").content)
    frontier = Frontier()
    for entry in entries:
        frontier.push(leaf_hash(entry))
    assert frontier.root() == point.root
    hashes = client.get(f"/api/log/tile/0/000.p/{point.size}").content
    assert hashes == b"".join(map(leaf_hash, entries))


@pytest.mark.parametrize(
    "path",
    ["99999", "99999/receipt", "tile/0/000", "tile/0/001", "tile/0/000.p/256", "tile/9/000", "tile/0/x",
     "tile/entries/000", "tile/entries/x000/000", "tile/entries/000.p/0"],
)  # fmt: skip
def test_what_the_log_has_not_is_not_found(client, sealer, path):
    assert client.get(f"/api/log/{path}").status_code == 404


def test_an_identifier_leads_to_its_object_its_history_and_its_label(client, square):
    with square.records.write() as session:
        new = registry.NewObject(owner="o", key="lamp", kind="component", title="路灯")
        thing = registry.issue(session, local_person(), new)
        parts = [registry.NewObject(owner="o", key=f"lamp{n}", kind="component") for n in range(2)]
        registry.split(session, local_person(), thing.id, parts, reason="换型")
    typed = f"{thing.id[:4]}-{thing.id[4:8]}-{thing.id[8:12]}-{thing.id[12:]}".lower()
    found = client.get(f"/api/objects/{typed}").json()
    assert (found["object"]["title"], found["object"]["state"], len(found["current"])) == ("路灯", "split", 2)
    told = client.get(f"/api/objects/{thing.id}/history").json()
    assert [one["type"] for one in told] == ["object.split", "object.issued"]
    label = client.get(f"/api/objects/{thing.id}/label")
    assert label.headers["content-type"] == "image/svg+xml"
    assert "路灯" in label.text
    assert client.get("/api/objects/nonsense").status_code == 400
    assert client.get(f"/api/objects/{registry.identifiers.new_identifiers(1)[0]}").status_code == 404


def test_policies_close_the_log_with_the_next_request(client, square, sealer):
    default = default_policies()
    closed = 'forbid (principal, action == Action::"log.read", resource);'
    with square.records.write() as session:
        adopt(session, local_person(), closed, [])
    try:
        answer = client.get("/api/log")
        assert answer.status_code == 403
        assert answer.json()["code"] == "refused"
        assert client.get("/api/log/0/receipt").status_code == 403
    finally:
        with square.records.write() as session:
            adopt(session, local_person(), default.text, default.examples)
    assert client.get("/api/log").status_code == 200
    with square.records.read() as session:
        assert ledger.events_of(session, "policies")
