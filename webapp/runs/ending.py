"""The end of a run's log: the terminal frame follows once the journal has it."""

from __future__ import annotations

from webapp.frames import Frame, not_saved_frame
from webapp.runs.log import RunLog
from webapp.runs.record import RunRecord


def close_log(log: RunLog, epoch: int, terminal: Frame, record: RunRecord | None, *, is_kept: bool) -> bool:
    """Append a run's terminal frame once the journal has it, or after a second if that is away.

    In that case a notice goes first, unless `is_kept`: the answer is kept elsewhere, or the notice was sent. Returns False,
    and appends nothing, if another worker has the run. The caller has reserved the log's end. Raises `StaleEpoch`.
    """
    if record is not None:
        outcome = record.end(terminal)
        if outcome == "lost":
            return False
        if outcome == "late" and not is_kept and not record.temporary:
            log.append(not_saved_frame(), epoch)
    log.append(terminal, epoch)
    return True
