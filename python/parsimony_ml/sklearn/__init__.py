"""Estimators for scikit-learn, with its names of parameters: ``n_neighbors``, ``max_iter``, ``n_components``, ``n_jobs``.

``n_jobs`` is the number of threads; None and -1 are all cores that the process may use.
"""

from __future__ import annotations

from ._clustering import SpectralClustering as SpectralClustering
from ._images import ImageDenoiser as ImageDenoiser
from ._operators import AnalysisOperatorLearning as AnalysisOperatorLearning

__all__ = ["AnalysisOperatorLearning", "ImageDenoiser", "SpectralClustering"]
