"""Why a setting could not be read or changed."""


class WayError(Exception):
    """The node answered, but not as hoped.

    Args:
        message: one sentence for the person on call; never holds a token.
        reason: one word for programs: refused, not_supported, conflict, ignored, unknown_host, usage or broken.
    """

    def __init__(self, message: str, reason: str = "broken") -> None:
        super().__init__(message)
        self.reason = reason


class UnreachableNodeError(WayError):
    """The node did not answer; a change that was sent may have taken effect."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "unreachable")
