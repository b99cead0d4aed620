"""Clusters of handwritten digits, and the clusters of digits that were not there."""

from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split

from parsimony_ml.sklearn import SpectralClustering

images, digits = load_digits(return_X_y=True)
old, new, old_digits, new_digits = train_test_split(images, digits, random_state=0)
model = SpectralClustering(10, random_state=0).fit(old)
print(f"fitted {adjusted_rand_score(old_digits, model.labels_):.2f}")
print(f"new {adjusted_rand_score(new_digits, model.predict(new)):.2f}")
