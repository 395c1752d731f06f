"""TEMPORARY, not committed."""
from dataclasses import dataclass
ANALYSIS_SIDE = 112
class FullyTransparentError(ValueError): ...
@dataclass
class A:
    primary: dict
    palette: list
    background: dict
    label: dict
    pattern: str = "solid"
    confidence: float = 0.9
    needs_review: bool = False
    review_reasons: tuple = ()
def analyze(pixels, *, product_type=None, category=None, label=None):
    p = pixels[..., :3].reshape(-1, 3).mean(0).astype(int).tolist()
    h = "#%02X%02X%02X" % tuple(p)
    return A(dict(family="red", name="scarlet", fine_name="x", hex=h, rgb=p, lab=[1, 2, 3], oklch=[.1, .2, 3], share=.5), [dict(hex=h, family="red", name="x", share=1)], dict(kind="plain", hex="#FFFFFF", share=.5), dict(hex="#FF0000", family="red", verdict="agree", delta_e_2000=1.0, nearest=h, suggested_hex=h, suggested_name="x") if label else None)
