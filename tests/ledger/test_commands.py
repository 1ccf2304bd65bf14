"""The log on the command line."""

import subprocess

from click.testing import CliRunner
from sqlalchemy import select, update

from jingwei.cli import main
from jingwei.ledger.models import Event


def run(*arguments):
    return CliRunner().invoke(main, ["ledger", *map(str, arguments)])


def test_export_verify_receipt_and_rotation(records, sealer, note, tmp_path):
    url = records.engine.url.render_as_string(hide_password=False)
    event_id = note(1)
    sealer.seal_all()
    key, path = str(sealer.signer.key), tmp_path / "log.zip"
    assert run("export", path, "--records", url).exit_code == 0
    kept = tmp_path / "log" / "checkpoint"
    assert run("verify", path, "--key", key, "--checkpoint", kept).output.endswith("sound 可信: 2 events\n")
    proof = tmp_path / "1.tlog-proof"
    proof.write_text(run("receipt", event_id, "--records", url).output)
    assert run("verify", proof, "--key", key).exit_code == 0
    assert run("verify", proof).exit_code == 2
    assert run("verify", path, "--key", "nonsense").exit_code == 2
    new = run("rotate", tmp_path / "log", "--records", url).output.strip()
    assert new != key
    with records.write() as session:
        session.execute(update(Event).where(Event.id == event_id).values(actor="someone"))
    run("export", path, "--records", url)
    done = run("verify", path, "--key", key)
    assert done.exit_code == 1
    assert "changed-payload" in done.output


def test_a_key_from_outside_takes_over(records, sealer, note, tmp_path):
    outside = tmp_path / "outside.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", outside], check=True, capture_output=True
    )
    outside.chmod(0o600)
    url = records.engine.url.render_as_string(hide_password=False)
    new = run("rotate", tmp_path / "log", "--key-file", outside, "--records", url).output.strip()
    with records.read() as session:
        told = session.scalars(select(Event.data).where(Event.type == "ledger.key_rotated")).one()
    assert told["new_key"] == new != str(sealer.signer.key)
