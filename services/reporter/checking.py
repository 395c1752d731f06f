"""`huestream reporter --check`: whether a reporter could do its work with these settings, before it is needed."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from schemas.topics import topics_of
from services.reporter.mailer import Mailer
from services.reporter.settings import ReporterSettings
from services.runtime.object_store import object_folder
from services.runtime.settings import SettingsError, read_settings
from services.runtime.topic_admin import require

_PROBE_PATH = ".huestream-check"
_SECONDS = 30.0


def run() -> int:
    """Check everything that a reporter needs, and say of each whether it is there; returns the exit status."""
    try:
        settings = read_settings(ReporterSettings)
    except SettingsError as error:
        sys.stderr.write(f"huestream: {error}\n")
        return 1
    return asyncio.run(_checked(settings))


async def _checked(settings: ReporterSettings) -> int:
    checks: dict[str, Callable[[], Awaitable[None]]] = {
        f"Kafka at {settings.bootstrap_servers}": lambda: require(
            settings.cluster,
            topics_of("reporter"),
            min(settings.start_timeout_seconds, _SECONDS),
            settings.topic_replicas,
        ),
        f"report store {settings.report_store}": lambda: _write(settings),
        f"mail server {settings.smtp_host}:{settings.smtp_port}, {_security(settings)}": Mailer(settings).check,
    }
    results = [await _says(name, check) for name, check in checks.items()]
    return 0 if all(results) else 1


async def _says(name: str, check: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(2 * _SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001  # whatever is wrong is what was asked for
        sys.stdout.write(f"FAILED  {name}: {type(error).__name__}: {' '.join(str(error).split())[:300]}\n")
        return False
    sys.stdout.write(f"ok      {name}\n")
    return True


def _security(settings: ReporterSettings) -> str:
    login = f"login as {settings.smtp_username}" if settings.smtp_username else "no login"
    return f"{settings.smtp_tls if settings.smtp_tls != 'none' else 'not encrypted'}, {login}"


async def _write(settings: ReporterSettings) -> None:
    store = object_folder(settings.report_store)
    await store.put(_PROBE_PATH, b"")
    await store.delete([_PROBE_PATH])
