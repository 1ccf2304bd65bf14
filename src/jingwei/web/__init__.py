"""The ASGI application: assembles the parts and serves the pages. It holds no rules of the city."""

from jingwei.web.app import create_app
from jingwei.web.gate import OPEN, Entry
from jingwei.web.server import Wire, check_wire, listen, serve

__all__ = ["OPEN", "Entry", "Wire", "check_wire", "create_app", "listen", "serve"]
