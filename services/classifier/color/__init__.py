"""The colors of a product in a photo: arrays in, values out; numpy and the standard library only."""

from services.classifier.color.analysis import Analysis
from services.classifier.color.analyzing import analyze
from services.classifier.color.photo import ANALYSIS_SIDE, FullyTransparentError

__all__ = ["ANALYSIS_SIDE", "Analysis", "FullyTransparentError", "analyze"]
