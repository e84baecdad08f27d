"""Which partition a key belongs to: murmur2 as Java's default partitioner computes it.

The hash is Austin Appleby's MurmurHash2 with the seed of `org.apache.kafka.common.utils.Utils.murmur2`.
"""

from functools import lru_cache
from struct import unpack_from
from typing import Final

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit hash of `data`, signed as in Java: -2**31 to 2**31 - 1."""
    words, rest = divmod(len(data), 4)
    h = _SEED ^ len(data)
    for k in unpack_from(f"<{words}I", data):
        k = k * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if rest:
        h = (h ^ int.from_bytes(data[-rest:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    h ^= h >> 15
    return h - (1 << 32) if h >> 31 else h


@lru_cache(maxsize=65_536)
def partition_for(key: bytes, n: int) -> int:
    """The partition of `key` among `n`: the hash without its sign bit, modulo n."""
    return (murmur2(key) & 0x7FFFFFFF) % n
