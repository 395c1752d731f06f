"""Which partition a key belongs to, as Kafka's own clients choose it."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=10_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Choose as the default partitioner of Kafka's Java client does: by murmur2.

    >>> partition_of(b"3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10", 12)
    2
    """
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
