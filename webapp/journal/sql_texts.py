"""The journal's SQL in the dialects of SQLite and Postgres, by name; `statements` says what each is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Dialect = Literal["sqlite", "postgresql"]

# Lists are passed as one JSON text, so that a statement's text does not depend on their length.
_SQLITE = {
    "now": "((julianday('now') - 2440587.5) * 86400.0)",
    "ids": "(SELECT value AS run FROM json_each(:ids))",
    "cursors": "(SELECT json_extract(value, '$[0]') AS run, json_extract(value, '$[1]') AS epoch,"
    " json_extract(value, '$[2]') AS seq FROM json_each(:cursors))",
    "lock": "",
    "lock_shared": "",
    "lock_free": "",
}
_POSTGRES = {
    "now": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
    "ids": "(SELECT value AS run FROM jsonb_array_elements_text(CAST(:ids AS jsonb)))",
    "cursors": "(SELECT value ->> 0 AS run, CAST(value ->> 1 AS bigint) AS epoch, CAST(value ->> 2 AS bigint) AS seq"
    " FROM jsonb_array_elements(CAST(:cursors AS jsonb)))",
    "lock": "FOR NO KEY UPDATE",
    "lock_shared": "FOR SHARE",
    "lock_free": "FOR UPDATE SKIP LOCKED",
}
_SHARED = {
    "last_seq": "coalesce((SELECT max(g.last_seq) FROM journal_groups g WHERE g.run = r.run AND g.epoch = r.epoch), -1)",
    "runs": "SELECT r.run, r.owner, r.fingerprint, r.conversation, r.start, r.request, r.worker, r.epoch, {last_seq} AS last_seq,"
    " r.ended_at, r.takeovers, r.stop, r.read_at, r.began_at, r.temporary FROM journal_runs r",
}

_TEXTS = {
    "now": "SELECT {now}",
    "find": "{runs} WHERE r.run = :run",
    "list_running": "{runs} WHERE r.owner = :owner AND r.ended_at IS NULL"
    " AND (CAST(:conversation AS text) IS NULL OR r.conversation = :conversation)"
    " ORDER BY r.began_at DESC, r.run DESC LIMIT :limit",
    "list_of_worker": "{runs} WHERE r.worker = :worker AND r.ended_at IS NULL ORDER BY r.began_at, r.run",
    "list_lapsed": "{runs} LEFT JOIN journal_leases l ON l.worker = r.worker WHERE r.ended_at IS NULL"
    " AND (l.worker IS NULL OR l.expires_at <= {now} - :grace_s) ORDER BY r.began_at, r.run LIMIT :limit",
    "insert_run": "INSERT INTO journal_runs (run, owner, fingerprint, conversation, worker, epoch, takeovers, temporary,"
    " began_at, read_at, start, request)"
    " SELECT :run, :owner, :fingerprint, :conversation, l.worker, :epoch, 0, :temporary, {now}, {now}, :start, :request"
    " FROM journal_leases l WHERE l.worker = :worker AND l.expires_at > {now}"
    " ON CONFLICT (run) DO NOTHING RETURNING run",
    "lock_runs": "SELECT run FROM journal_runs WHERE run IN {ids} ORDER BY run {lock}",
    "positions": "SELECT r.run, r.worker, r.epoch, r.ended_at IS NOT NULL AS ended, r.temporary,"
    " {last_seq} AS last_seq FROM journal_runs r WHERE r.run IN {ids}",
    "group": "SELECT frames FROM journal_groups WHERE run = :run AND epoch = :epoch AND last_seq = :last_seq",
    "end_run": "UPDATE journal_runs SET ended_at = {now}, request = :nothing WHERE run = :run",
    "lease": "SELECT expires_at > {now} FROM journal_leases WHERE worker = :worker {lock_shared}",
    "seize_run": "UPDATE journal_runs SET epoch = :epoch, worker = :worker, takeovers = takeovers + :taken WHERE run = :run",
    "delete_groups": "DELETE FROM journal_groups WHERE run IN {ids}",
    "renew": "INSERT INTO journal_leases (worker, expires_at) VALUES (:worker, {now} + :ttl_s)"
    " ON CONFLICT (worker) DO UPDATE SET expires_at = excluded.expires_at WHERE journal_leases.expires_at > {now}"
    " RETURNING worker",
    "reclaim": "INSERT INTO journal_leases (worker, expires_at) VALUES (:worker, {now} + :ttl_s)"
    " ON CONFLICT (worker) DO UPDATE SET expires_at = excluded.expires_at",
    "release": "DELETE FROM journal_leases WHERE worker = :worker",
    "stop": "UPDATE journal_runs SET stop = coalesce(stop, :by) WHERE run = :run AND ended_at IS NULL RETURNING run",
    "stops": "SELECT run, stop FROM journal_runs WHERE worker = :worker AND ended_at IS NULL AND stop IS NOT NULL",
    "mark_read": "UPDATE journal_runs SET read_at = {now} WHERE run IN"
    " (SELECT run FROM journal_runs WHERE run IN {ids} ORDER BY run {lock})",
    "unread": "SELECT run, {now} - read_at FROM journal_runs WHERE run IN {ids}",
    "move_owner": "UPDATE journal_runs SET owner = :target WHERE run IN"
    " (SELECT run FROM journal_runs WHERE owner = :source ORDER BY run {lock})",
    "expired": "SELECT run FROM journal_runs WHERE ended_at <= {now} - :older_than_s ORDER BY ended_at LIMIT :limit {lock_free}",
    "delete_runs": "DELETE FROM journal_runs WHERE run IN {ids}",
    "delete_leases": "DELETE FROM journal_leases WHERE expires_at <= {now} AND NOT EXISTS"
    " (SELECT 1 FROM journal_runs r WHERE r.worker = journal_leases.worker AND r.ended_at IS NULL)",
    # The groups that follow each cursor are taken in turns, one of each run, until their sizes reach the limit.
    "read": "WITH positions AS (SELECT r.run, r.worker, r.epoch, r.ended_at IS NOT NULL AS ended, r.temporary,"
    " {last_seq} AS last_seq, CASE WHEN w.epoch = r.epoch THEN w.seq ELSE -1 END AS had"
    " FROM {cursors} w JOIN journal_runs r ON r.run = w.run),"
    " numbered AS (SELECT g.run, g.epoch, g.last_seq, g.size,"
    " row_number() OVER (PARTITION BY g.run ORDER BY g.last_seq) AS turn"
    " FROM positions p JOIN journal_groups g ON g.run = p.run AND g.epoch = p.epoch AND g.last_seq > p.had),"
    " summed AS (SELECT run, epoch, last_seq,"
    " sum(size) OVER (ORDER BY turn, run ROWS UNBOUNDED PRECEDING) - size AS before_it FROM numbered)"
    " SELECT p.run, p.worker, p.epoch, p.ended, p.temporary, p.last_seq, g.first_seq, g.last_seq, g.frames"
    " FROM positions p LEFT JOIN summed s ON s.run = p.run AND s.before_it < :limit_bytes"
    " LEFT JOIN journal_groups g ON g.run = s.run AND g.epoch = s.epoch AND g.last_seq = s.last_seq"
    " ORDER BY p.run, g.last_seq",
}


def _compile(dialect: Mapping[str, str]) -> dict[str, str]:
    parts = {**_SHARED, **dialect, "runs": _SHARED["runs"].format_map(_SHARED)}
    return {name: template.format_map(parts) for name, template in _TEXTS.items()}


def _mark_for_psycopg(statement: str) -> str:
    """Write the named parameters as the driver of Postgres has them."""
    return re.sub(r":([a-z_]+)", r"%(\1)s", statement)


STATEMENTS: Mapping[Dialect, Mapping[str, str]] = {
    "sqlite": _compile(_SQLITE),
    "postgresql": {name: _mark_for_psycopg(text) for name, text in _compile(_POSTGRES).items()},
}

INSERT_GROUPS: Mapping[Dialect, str] = {
    # Once for each row.
    "sqlite": "INSERT INTO journal_groups (run, epoch, last_seq, first_seq, size, frames) VALUES (?, ?, ?, ?, ?, ?)",
    # With an array for each column: row by row, fifty rows take four times as long here and five times in Postgres.
    "postgresql": "INSERT INTO journal_groups (run, epoch, last_seq, first_seq, size, frames) SELECT * FROM"
    " unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::int[], %b::bytea[])",
}
