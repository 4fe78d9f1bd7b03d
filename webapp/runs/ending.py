"""The end of a run's log: the last frames follow once the journal has them."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.frames import Frame, not_saved_frame
from webapp.runs.log import RunLog
from webapp.runs.record import RunRecord


def close_log(
    log: RunLog, epoch: int, last: Sequence[Frame], record: RunRecord | None, *, is_kept: bool
) -> bool:
    """Append a run's last frames, of which one is terminal, once the journal has them, or after a second if that is away.

    In that case a notice goes before the terminal frame, unless `is_kept`: the answer is kept elsewhere, or the notice was
    sent. Returns False, and appends nothing, if another worker has the run. The caller has reserved or seized the log. Raises
    `StaleEpoch`.
    """
    if record is not None:
        outcome = record.end(last)
        if outcome == "lost":
            return False
        if outcome == "late" and not is_kept and not record.temporary:
            last = [*last[:-1], not_saved_frame(), last[-1]]
    log.extend(last, epoch)
    return True
