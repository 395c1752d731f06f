"""JSON logs on standard output, one line per unit of work."""

import logging
import sys
from functools import partial

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from services.runtime.redaction import redacted

Logger = FilteringBoundLogger


def configure_logs(service: str, level: str) -> Logger:
    """Send our logs, and warnings of the libraries, to standard output as JSON lines; returns the service's logger."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _redact, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, partial(_name_service, service)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redact_all,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    logger: Logger = structlog.get_logger(service=service).bind()
    return logger


def _name_service(service: str, _: object, __: str, event: EventDict) -> EventDict:
    """Say which service a library's message comes from, as ours say it."""
    return {"service": service, **event}


def _redact(_: object, __: str, event: EventDict) -> EventDict:
    """Clean what an exception says: it may quote whatever a stranger sent. Our own events name nothing secret."""
    if "exception" in event:
        event["exception"] = redacted(str(event["exception"]))
    return event


def _redact_all(logger: object, name: str, event: EventDict) -> EventDict:
    """Clean what a library says, too."""
    event["event"] = redacted(str(event["event"]))
    return _redact(logger, name, event)
