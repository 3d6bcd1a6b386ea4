from __future__ import annotations

import numpy as np
import pytest

from watthour.forecasting.gaussian_process.conditioning import inverse_of


@pytest.mark.parametrize(("kind", "digits"), [(np.float32, 1e-3), (np.float64, 1e-10)])
def test_an_inverse_is_whole_and_keeps_its_precision(kind: type[np.floating], digits: float) -> None:
    rows = np.random.default_rng(1).normal(size=(30, 40)).astype(kind)
    matrix = rows @ rows.T
    found = inverse_of(np.linalg.cholesky(matrix))
    assert found.dtype == kind
    assert np.array_equal(found, found.T)
    assert found @ matrix == pytest.approx(np.eye(30), abs=digits)
