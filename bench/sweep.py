"""The overdue sweep over many open clocks, beside the same sweep over few."""

import time
from datetime import UTC, datetime, timedelta

from . import city
from .figures import Report, Turn, Verdict, at_most, in_turns

FEW, MANY = 10_000, 1_000_000
DUE, ROUNDS, TURNS = 400, 6, 5  # one round more than turns: the first opens connections and fills caches
FIRST = datetime(2040, 1, 1, tzinfo=UTC)  # later than any clock of the city's own
# The city's own clocks leave; then so many hazards with a running clock, of which each round makes DUE more late.
CLOCKS = """
SET session_replication_role = replica;
UPDATE hazards_hazard SET due_at = NULL WHERE due_at IS NOT NULL;
CREATE TEMP TABLE pattern AS SELECT * FROM (
  SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM hazards_hazard WHERE state = 'taken' ORDER BY id LIMIT 500) taken;
INSERT INTO hazards_hazard (id, number, matter_id, severity, criterion, state, version, description, location, cell_id,
  dedicated_cell_id, area_code, department_id, reporter_id, occurred_at, received_at, changed_at, claimed_on_spot,
  handled_on_spot, due_stage, due_at, due_reason, overdue, late, imported, party_users, party_departments)
SELECT gen_random_uuid(), 'YH-BENCH-' || n, matter_id, severity, criterion, state, version, description, location, cell_id,
  dedicated_cell_id, area_code, department_id, reporter_id, occurred_at, received_at, changed_at, false,
  false, 'rectify',
  %(first)s + CASE WHEN n < %(due)s THEN n / %(each)s * interval '1 hour' ELSE interval '9 years' + n * interval '1 second' END,
  '', false, false, true, party_users, party_departments
FROM generate_series(0, %(count)s - 1) n JOIN pattern ON place = n %% (SELECT count(*) FROM pattern);
INSERT INTO hazards_clock (hazard_id, stage, unit, amount, started_at, consumed_s, due_at, due_reason)
SELECT id, 'rectify', 'work_days', 3, received_at, 0, due_at, '' FROM hazards_hazard WHERE number LIKE 'YH-BENCH-%%'"""


def clocks(database: str, count: int) -> None:
    """Fill a database with open clocks; what this leaves to do is done before anything is measured."""
    city.ask(database, CLOCKS, first=FIRST, due=DUE * ROUNDS, each=DUE, count=count)
    city.ask(database, "VACUUM ANALYZE hazards_hazard")
    city.ask(database, "VACUUM ANALYZE hazards_clock")
    city.ask(database, "CHECKPOINT")


def run() -> Report:
    """Sweep in this process as the worker does, each round at a later hour that makes as many clocks run out."""
    city.start_django()
    from hazards.services import mark_overdue  # noqa: PLC0415  models are ready now

    rounds = {FEW: 0, MANY: 0}

    def sweep(database: str, count: int) -> Turn:
        city.use(database)
        mark_overdue(at=FIRST - timedelta(days=1))  # nothing is due: opens the connection
        at = FIRST + timedelta(hours=rounds[count], minutes=30)
        rounds[count] += 1
        began = time.perf_counter()
        marked = mark_overdue(at=at)
        took = time.perf_counter() - began
        began = time.perf_counter()
        mark_overdue(at=at)
        idle = time.perf_counter() - began
        return Turn(1000 * took, int(marked != DUE), {"ms with nothing due": 1000 * idle})

    with city.copy_of("bench_few") as few, city.copy_of("bench_many") as many:
        clocks(few, FEW)
        clocks(many, MANY)
        for database, count in ((few, FEW), (many, MANY)):
            sweep(database, count)
        sides = in_turns(
            {
                f"{MANY:,} open clocks": ("ms", lambda: sweep(many, MANY)),
                f"{FEW:,} open clocks": ("ms", lambda: sweep(few, FEW)),
            },
            rounds=TURNS,
        )
        city.use(city.PREPARED)
    ours, fewer = sides.values()
    return Report(
        f"Mark {DUE} clocks that ran out, of {MANY:,} and of {FEW:,} that run; {TURNS} turns of one sweep",
        [ours, fewer],
        [Verdict(ours, fewer, at_most(2), at_most(1.2))],
    )
