"""Why a local Kafka cannot run: each is one sentence that says what to do."""


class LocalKafkaError(Exception):
    """A local Kafka cannot run; the message is one sentence."""
