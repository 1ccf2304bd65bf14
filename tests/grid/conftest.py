"""The first call compiles the kernels, which no deadline of an example should count."""

from hypothesis import settings

settings.register_profile("grid", deadline=None)
settings.load_profile("grid")
