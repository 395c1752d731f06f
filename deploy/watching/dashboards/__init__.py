"""The five dashboards."""

from typing import Final

from deploy.watching.dashboards.classifier import CLASSIFIER
from deploy.watching.dashboards.colors import COLORS
from deploy.watching.dashboards.overview import OVERVIEW
from deploy.watching.dashboards.reporter import REPORTER
from deploy.watching.dashboards.stream import STREAM

DASHBOARDS: Final = (OVERVIEW, STREAM, CLASSIFIER, REPORTER, COLORS)
