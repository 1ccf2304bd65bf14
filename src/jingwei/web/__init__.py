"""The ASGI application: assembles the parts and serves the pages. It holds no rules of the city."""

from jingwei.web.app import create_app
from jingwei.web.server import listen, serve

__all__ = ["create_app", "listen", "serve"]
