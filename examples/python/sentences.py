"""Topics of sentences, from vectors of their words; how many there are is found."""

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

import parsimony_ml as pm

topics = ["ship harbour wave sail storm captain deck", "oven soup bread onion salt kitchen plate"]
topics += ["violin chorus melody piano concert band tune", "goal referee match stadium team ball coach"]
rng = np.random.default_rng(0)
words = [rng.choice(topics[i % 4].split(), 3, replace=False) for i in range(240)]
sentences = [f"The {a} was near the {b}, and everybody saw the {c}." for a, b, c in words]
vectors = TfidfVectorizer(stop_words="english").fit_transform(sentences)
vectors = TruncatedSVD(16, random_state=0).fit_transform(vectors)  # or those of a sentence transformer
found = pm.cluster(vectors, "auto", metric="cosine", max_clusters=10)
for members in found.communities():
    print(len(members), *(sentences[i] for i in sorted(members)[:2]))
