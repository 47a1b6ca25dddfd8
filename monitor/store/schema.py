"""The tables, and the steps that bring a database from any earlier version to the current one.

What is asked for by its columns has columns; the whole value stands beside them as JSON, so that a new field of a
value needs no migration.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint, text

APPLICATION_ID = 0x0FBD0001
"""In the file's header (PRAGMA application_id), so that a database of another program is recognised."""

METADATA = MetaData()

CHARTED = (
    *("chain", "target", "at"),
    *("origin", "drill", "kind", "status", "path", "position", "duration", "first_token"),
)
"""Whatever a chart needs stands in one index, so that a day of a chain is read without its outcomes."""

OUTCOMES = Table(
    "outcomes",
    METADATA,
    Column("id", Text, primary_key=True, nullable=False),
    Column("at", Float, nullable=False),
    Column("chain", Text, nullable=False),
    Column("target", Text),
    Column("provider", Text),
    Column("probe", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("drill", Text),
    Column("status", Text, nullable=False),
    Column("path", Text),
    Column("cost", Float),
    Column("value", LargeBinary, nullable=False),
    Column("kind", Text),
    Column("position", Integer),
    Column("duration", Float),
    Column("first_token", Float),
    Index("outcomes_by_time", "at", "id"),
    Index("outcomes_by_chain", "chain", "at", "id"),
    Index("outcomes_by_target", "chain", "target", "at", "id"),
    Index("outcomes_by_probe", "chain", "probe", "at"),
    Index("outcomes_by_drill", "drill", "at", "id", sqlite_where=text("drill IS NOT NULL")),
    Index("outcomes_for_charts", *CHARTED),
)

TRANSITIONS = Table(
    "transitions",
    METADATA,
    Column("seq", Integer, primary_key=True, nullable=False),
    Column("at", Float, nullable=False),
    Column("chain", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index("transitions_by_time", "at"),
    Index("transitions_by_chain", "chain", "at"),
)

JOURNALS = Table(
    "journals",
    METADATA,
    Column("run", Text, primary_key=True, nullable=False),
    Column("at", Float, nullable=False),
    Column("drill", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("journal", LargeBinary, nullable=False),
    Index("journals_by_time", "at"),
    Index("journals_by_drill", "drill", "at"),
)

STATES = Table(
    "states",
    METADATA,
    Column("kind", Text, primary_key=True, nullable=False),
    Column("key", Text, primary_key=True, nullable=False),
    Column("value", LargeBinary, nullable=False),
)

NOTICES = Table(
    "notices",
    METADATA,
    Column("seq", Integer, primary_key=True, nullable=False),
    Column("id", Text, nullable=False),
    Column("notifier", Text, nullable=False),
    Column("incident", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("fate", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    UniqueConstraint("id", "notifier"),
    Index("notices_by_fate", "fate", "seq"),
)
"""The outbox. ``fate``: pending, delivered, superseded by a newer notice of the same incident, or dropped (a repeat, to
make room)."""

MESSAGES = Table(
    "messages",
    METADATA,
    Column("notifier", Text, primary_key=True, nullable=False),
    Column("incident", Text, primary_key=True, nullable=False),
    Column("ref", Text, nullable=False),
    Column("at", Float, nullable=False),
)
"""Where the message of an open incident stands, so that it is edited and not posted again."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE outcomes (id TEXT NOT NULL PRIMARY KEY, at FLOAT NOT NULL, chain TEXT NOT NULL, target TEXT,
           provider TEXT, probe TEXT NOT NULL, origin TEXT NOT NULL, drill TEXT, status TEXT NOT NULL, path TEXT,
           cost FLOAT, value BLOB NOT NULL)""",
        "CREATE INDEX outcomes_by_time ON outcomes (at, id)",
        "CREATE INDEX outcomes_by_chain ON outcomes (chain, at, id)",
        "CREATE INDEX outcomes_by_target ON outcomes (chain, target, at, id)",
        "CREATE INDEX outcomes_by_probe ON outcomes (chain, probe, at)",
        "CREATE INDEX outcomes_by_drill ON outcomes (drill, at, id) WHERE drill IS NOT NULL",
        """CREATE TABLE transitions (seq INTEGER NOT NULL PRIMARY KEY, at FLOAT NOT NULL, chain TEXT NOT NULL,
           value BLOB NOT NULL)""",
        "CREATE INDEX transitions_by_time ON transitions (at)",
        "CREATE INDEX transitions_by_chain ON transitions (chain, at)",
        """CREATE TABLE journals (run TEXT NOT NULL PRIMARY KEY, at FLOAT NOT NULL, drill TEXT NOT NULL,
           chain TEXT NOT NULL, value BLOB NOT NULL, journal BLOB NOT NULL)""",
        "CREATE INDEX journals_by_time ON journals (at)",
        "CREATE INDEX journals_by_drill ON journals (drill, at)",
        "CREATE TABLE states (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key))",
        """CREATE TABLE notices (seq INTEGER NOT NULL PRIMARY KEY, id TEXT NOT NULL, notifier TEXT NOT NULL,
           incident TEXT NOT NULL, at FLOAT NOT NULL, fate TEXT NOT NULL, value BLOB NOT NULL,
           UNIQUE (id, notifier))""",
        "CREATE INDEX notices_by_fate ON notices (fate, seq)",
        """CREATE TABLE messages (notifier TEXT NOT NULL, incident TEXT NOT NULL, ref TEXT NOT NULL, at FLOAT NOT NULL,
           PRIMARY KEY (notifier, incident))""",
    ),
    (
        "ALTER TABLE outcomes ADD COLUMN kind TEXT",
        "ALTER TABLE outcomes ADD COLUMN position INTEGER",
        "ALTER TABLE outcomes ADD COLUMN duration FLOAT",
        "ALTER TABLE outcomes ADD COLUMN first_token FLOAT",
        """UPDATE outcomes SET kind = json_extract(CAST(value AS TEXT), '$.kind'),
           position = json_extract(CAST(value AS TEXT), '$.position'),
           duration = json_extract(CAST(value AS TEXT), '$.duration'),
           first_token = json_extract(CAST(value AS TEXT), '$.first_token')
           WHERE json_valid(CAST(value AS TEXT))""",
        """CREATE INDEX outcomes_for_charts ON outcomes (chain, target, at, origin, drill, kind, status, path, position,
           duration, first_token)""",
    ),
)
"""``MIGRATIONS[n]`` leads from version n to n + 1 (PRAGMA user_version). Only ever appended to."""
