"""What can go wrong with a call; each message is one sentence for people."""


class HuestreamError(Exception):
    """Any error of this client."""


class EndpointError(HuestreamError):
    """Nothing that answers like huestream is at the address."""


class KeyRefusedError(HuestreamError):
    """The API key is wrong, or may not do this."""


class RefusedError(HuestreamError):
    """The endpoint refuses this one call and would again; the message is its own."""


class GaveUpError(RefusedError):
    """The endpoint was busy, or a batch made no progress, for as long as `Patience` allows."""
