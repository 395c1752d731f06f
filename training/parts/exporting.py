"""The file of weights that is shipped."""

import io
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def export(weights: dict[str, NDArray[np.float32]], path: Path, kind: type[np.floating] = np.float16) -> None:
    """Write weights in an npz file, as float16 if nothing else is said; the same weights give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(weights):
            content = io.BytesIO()
            np.save(content, weights[name].astype(kind), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), content.getvalue())
