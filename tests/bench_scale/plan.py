"""The plan: the journals, the works and their order. Values only."""

from tests.bench.plan import CALM, FAST, MANY, Contender, Work

MEMORY = Contender(name="memory", server="memory", dialect="freshet", label="1 worker, in memory")
SQLITE_ONE = Contender(name="sqlite-1", server="sqlite-1", dialect="freshet", label="1 worker, SQLite")
SQLITE = Contender(name="sqlite", server="sqlite", dialect="freshet", label="2 workers, SQLite")
POSTGRES = Contender(name="postgres", server="postgres", dialect="freshet", label="2 workers, Postgres")
REDIS = Contender(name="redis", server="redis", dialect="freshet", label="2 workers, Redis")
FLASK_VIEW = Contender(
    name="flask-view", server="flask-view", dialect="freshet", label="Flask view, same bytes"
)

JOURNALS = (MEMORY, SQLITE_ONE, SQLITE, POSTGRES, REDIS)
SHARED = (SQLITE, POSTGRES, REDIS)
CONTENDERS = (*JOURNALS, FLASK_VIEW)

FLOWS = (FAST, CALM, MANY)
FIRST_TEXT = "first-text"
AWAY = "away"  # readers on another worker than their runs'
RESUME = "resume-1mb"
RESUME_SMALL = "resume-1mb-small"  # in frames of one delta each
RETURN = Work(name="return", streams=500, rate=5, ramp_s=2.0)
MANY_READERS = Work(name="500-readers", streams=500, rate=10, ramp_s=2.0)  # of one answer
MANY_ANSWERS = Work(name="500-answers", streams=500, rate=10, ramp_s=2.0)  # each with its reader

WORKS = (
    *(work.name for work in FLOWS),
    FIRST_TEXT,
    AWAY,
    RESUME,
    RESUME_SMALL,
    RETURN.name,
    MANY_READERS.name,
    MANY_ANSWERS.name,
)

QUARTER_OF_A_CORE = 0.25
TRIAL_STREAMS = 20  # with which the share of the core is found out
_MOST_STREAMS = 250


def quarter_core(share: float) -> Work:
    """Return the work that takes about a quarter of a core, from the share that a trial took."""
    streams = round(TRIAL_STREAMS * QUARTER_OF_A_CORE / max(share, 0.01))
    return Work(name=AWAY, streams=min(max(streams, TRIAL_STREAMS), _MOST_STREAMS), rate=50, ramp_s=0.5)
