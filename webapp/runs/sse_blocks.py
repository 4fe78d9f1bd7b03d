"""Blocks of frames as SSE records, kept for the next reader that comes back to the same answer.

After a cut, or where many follow one answer, several readers ask for the same frames; to write thousands of records anew for each
takes longer than to send them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from weakref import ReferenceType, ref

from webapp.frames import Frame, encode_sse_records
from webapp.runs.log import RunLog

BLOCK_FRAMES = 128
_MAX_BYTES = 8 * 1024**2  # of all answers of a worker; then the oldest blocks are dropped
_MAX_BLOCK_BYTES = 64 * 1024

_kept: deque[tuple[ReferenceType[RunLog], tuple[int, int], int]] = deque()
_kept_bytes = 0
_lock = threading.Lock()


def encode_block(log: RunLog, frames: Sequence[Frame], prefix: bytes, epoch: int, first_seq: int) -> bytes:
    """Return the records of a whole block of an epoch, from memory where they were asked for before. None of its frames is terminal."""
    key = (epoch, first_seq)
    known = log.sse_blocks.get(key)
    if known is not None:
        return known
    block = encode_sse_records(frames, prefix, first_seq)
    if len(block) <= _MAX_BLOCK_BYTES:
        log.sse_blocks[key] = block
        _count(ref(log), key, len(block))
    return block


def _count(log: ReferenceType[RunLog], key: tuple[int, int], size: int) -> None:
    """Count a block, and drop the oldest beyond the limit; those of a log that is gone went with it."""
    global _kept_bytes  # noqa: PLW0603
    with _lock:
        _kept.append((log, key, size))
        _kept_bytes += size
        while _kept_bytes > _MAX_BYTES:
            oldest, old_key, old_size = _kept.popleft()
            _kept_bytes -= old_size
            holder = oldest()
            if holder is not None:
                holder.sse_blocks.pop(old_key, None)
