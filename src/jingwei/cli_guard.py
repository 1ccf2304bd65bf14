"""What all commands share: their language, their errors, their exit codes."""

from __future__ import annotations

import json
import os
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from jingwei.errors import JingweiError
from jingwei.words import Text, language_of_locale

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.grid import GridError

INCOMPLETE, BAD_INPUT, NOT_FOUND, CONFLICT, ENVIRONMENT = 1, 2, 3, 4, 5
"""Exit codes beside 0: some source is held or failed; the question or manifest is wrong; what is asked for
does not exist; another program is at work; the machine does not allow it (disk, rights, port)."""

EXIT_BY_STATUS = {400: BAD_INPUT, 404: NOT_FOUND, 409: CONFLICT}


def say(zh: str, en: str) -> str:
    """Return the text in the language of this terminal."""
    return zh if language_of_locale() == "zh" else en


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors into a clear message and an exit code; with `--json`, into JSON on standard error."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            command(*args, **kwargs)
        except JingweiError as error:
            _tell(error.code, error.what, error.mend, error.where, as_json=as_json)
            sys.exit(EXIT_BY_STATUS.get(error.status, ENVIRONMENT))
        except _grid_error() as error:
            from jingwei.web import grid_words

            what = grid_words.reason_of(error)
            _tell(error.code, what, None, grid_words.place_of(error), as_json=as_json)
            sys.exit(BAD_INPUT)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt:
            click.echo(say("已停止。", "Stopped."), err=True)
            sys.exit(130)

    return run


def _grid_error() -> type[GridError]:
    from jingwei.grid.errors import GridError

    return GridError


def _tell(code: str, what: Text, mend: Text | None, where: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        problem = {
            "code": code,
            "what": what.as_json(),
            "mend": mend.as_json() if mend else None,
            "where": where,
        }
        click.echo(json.dumps(problem, ensure_ascii=False, default=str), err=True)
        return
    click.secho(f"{say('错误', 'Error')} [{code}] {what}", fg="red", err=True)
    if mend:
        click.echo(f"  {mend}", err=True)
