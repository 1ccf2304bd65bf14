"""A city without data whose log may be followed."""

from tests.web.conftest import bare

__all__ = ["bare"]
