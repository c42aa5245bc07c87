"""Property tests that take as long as a busy machine needs: fewer examples, no deadline."""

from hypothesis import settings

settings.register_profile("patient", deadline=None, max_examples=40)
settings.load_profile("patient")
