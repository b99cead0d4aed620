"""An operator that finds the steps of piecewise constant signals, learned from the signals alone."""

import numpy as np

from parsimony_ml.sklearn import AnalysisOperatorLearning

rng = np.random.default_rng(0)
steps = rng.normal(size=(3000, 12)) * (rng.random((3000, 12)) < 0.2)
signals = np.cumsum(steps, axis=1) + 1e-3 * rng.normal(size=(3000, 12))
options = {"nu": 1e4, "stages": 4, "kappa": 1, "mu": 0.5}  # sharp, for signals of little noise
model = AnalysisOperatorLearning(12, options=options, random_state=0).fit(signals)
differences = np.diff(np.eye(12), axis=0) / 2**0.5
found = np.abs(differences @ model.components_.T).max(axis=1) > 0.99
zeros = (np.abs(model.transform(signals)) < 0.01).sum(axis=1)
print(f"{found.sum()} of 11 differences found; {zeros.mean():.1f} zeros a signal")
