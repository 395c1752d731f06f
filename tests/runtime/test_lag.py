from datetime import UTC, datetime, timedelta

from services.runtime.lag import MAX_SECONDS, Lag, LagWatch, Reading, age_seconds

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_records_of_all_partitions_count_and_the_oldest_tells_the_age() -> None:
    watch = LagWatch(["a", "b"])
    readings = {
        ("a", 0): Reading(end=10, position=4, oldest_at=90.0),
        ("a", 1): Reading(end=10, position=9, oldest_at=95.0),
        ("b", 0): Reading(end=3, position=3, oldest_at=None),
    }
    assert watch.lags(100.0, readings) == {"a": Lag(7, 10.0), "b": Lag(0, 0.0)}


def test_what_waits_unseen_is_as_old_as_its_position_has_stood_still() -> None:
    watch = LagWatch(["a"])
    waiting = {("a", 0): Reading(end=10, position=4)}
    assert watch.lags(100.0, waiting) == {"a": Lag(6, 0.0)}
    assert watch.lags(130.0, waiting) == {"a": Lag(6, 30.0)}
    assert watch.lags(135.0, {("a", 0): Reading(end=12, position=5)}) == {"a": Lag(7, 0.0)}
    assert watch.lags(136.0, {}) == {"a": Lag()}
    assert watch.lags(140.0, waiting) == {"a": Lag(6, 0.0)}


def test_times_that_a_producer_invents_are_bounded() -> None:
    watch = LagWatch(["a"])
    assert watch.lags(1e9, {("a", 0): Reading(1, 0, oldest_at=0.0)})["a"].seconds == MAX_SECONDS
    assert watch.lags(1e9, {("a", 0): Reading(1, 0, oldest_at=2e9)})["a"].seconds == 0
    assert age_seconds(NOW - timedelta(days=9_000), NOW) == MAX_SECONDS
    assert age_seconds(NOW + timedelta(days=9_000), NOW) == 0
