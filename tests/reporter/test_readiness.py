"""A reporter is ready once all its tables are recovered, and no longer when partitions come or go."""

from pathlib import Path

from schemas.topics import REPORTER_TABLES
from services.reporter.settings import ReporterSettings
from services.reporter.stream import Running, faust_app


async def no_work() -> None:
    """Nothing is in hand."""


async def test_it_is_ready_only_after_the_recovery_of_every_table(tmp_path: Path) -> None:
    settings = ReporterSettings.model_validate({"environment": "development", "state_dir": str(tmp_path)})
    stream = faust_app(settings)
    running = Running(stream, no_work, settings)
    assert running.trouble() == f"recovering {', '.join(sorted(REPORTER_TABLES))}"
    for name in REPORTER_TABLES:
        assert name in (running.trouble() or "")
        await stream.tables[name].call_recover_callbacks()
    assert running.trouble() is None
    stream.forget()
    assert (running.trouble() or "").startswith("recovering ")
