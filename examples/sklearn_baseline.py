"""Score a scikit-learn classifier with edgebio's protocols.

    python examples/sklearn_baseline.py [DATASET] [PROTOCOL]

Features are Hudgins' time-domain set (IEEE Trans. Biomed. Eng. 40(1), 1993) of segments of 200 ms.
The protocol splits recordings; scikit-learn sees segments, and the groups say which recording each
segment is from, so no segment is trained on and its neighbor tested.
"""

import sys

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import edgebio
from edgebio.training.features import hudgins_features

dataset = sys.argv[1] if len(sys.argv) > 1 else "emg-synthetic"
protocol = sys.argv[2] if len(sys.argv) > 2 else "within-session"
recordings = edgebio.load_dataset(dataset)

features, labels, sources = [], [], []
for number, recording in enumerate(recordings):
    segment, step = round(0.2 * recording.rate), round(0.05 * recording.rate)
    begins = np.arange(0, len(recording.samples) - segment + 1, step)
    signal = recording.samples - recording.samples.mean(axis=0)
    features.append(hudgins_features(signal, begins, segment, threshold=20.0))
    labels.append(recording.labels[begins + segment // 2])
    sources.append(np.full(len(begins), number))
x, y, groups = np.concatenate(features), np.concatenate(labels), np.concatenate(sources)

classifier = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis())
# --8<-- [start:cv]
splitter = edgebio.ProtocolSplitter(protocol, recordings)
scores = cross_val_score(classifier, x, y, cv=splitter, groups=groups)
# --8<-- [end:cv]
print(f"{dataset}, {protocol}: accuracy {scores.mean():.3f} over {len(scores)} folds")
