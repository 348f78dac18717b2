"""Compares gan-dist's figures with those of independent Python; see compare-metrics."""

import json
import pathlib
import sys

import numpy as np
import prdc
import scipy.linalg
import scipy.spatial.distance
import scipy.stats

FOLDER = pathlib.Path(sys.argv[1])
TOLERANCE = 1e-6
failures = []


def load(part):
    return np.load(FOLDER / f"features{part}.npy").astype(np.float64)


def compare(name, found, expected, tolerance=TOLERANCE, scale=None):
    """`scale`: what a difference is small against, where it is not the figure itself."""
    error = abs(found - expected) / max(abs(expected), scale or 0, 1e-12)
    print(f"{name:34s} {found:18.10f} {expected:18.10f}  {error:8.1e}")
    if not error <= tolerance:
        failures.append(name)


def frechet(first, second):
    """Heusel et al., 2017, by the general matrix square root."""
    covariances = [np.cov(x, rowvar=False) for x in (first, second)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    difference = first.mean(0) - second.mean(0)
    return difference @ difference + sum(np.trace(c) for c in covariances) - 2 * np.trace(root).real


def kernel_parts(x, y):
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    m, n = len(x), len(y)
    xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
    return (
        (xx.sum() - np.trace(xx)) / (m * (m - 1)),
        (yy.sum() - np.trace(yy)) / (n * (n - 1)),
        2 * xy.mean(),
    )


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def inception_score(logits):
    p = softmax(logits)
    return np.exp((p * (np.log(p + 1e-300) - np.log(p.mean(0)))).sum(1).mean())


def nearest(x, y):
    return np.concatenate(
        [scipy.spatial.distance.cdist(x[i : i + 500], y).min(1) for i in range(0, len(x), 500)]
    )


figures = json.loads((FOLDER / "figures.json").read_text())
generated, test, training = load(""), load("-test"), load("-training")
sample = training[: figures["count_training"]]

print(f"{'':34s} {'gan-dist':>18s} {'Python':>18s}  {'error':>8s}")
for suffix, real, fake in [
    ("", test, generated),
    ("_training", sample, generated),
    ("_floor", test, sample),
]:
    compare(f"fcd{suffix}", figures[f"fcd{suffix}"], frechet(fake, real))
    parts = kernel_parts(fake, real)
    # The parts cancel out: what their last digits are cannot be in the difference.
    compare(f"kid{suffix}", figures[f"kid{suffix}"], parts[0] + parts[1] - parts[2], scale=parts[2])
    three = prdc.compute_prdc(real_features=real, fake_features=fake, nearest_k=3)
    five = prdc.compute_prdc(real_features=real, fake_features=fake, nearest_k=5)
    for name, values in [("precision", three), ("recall", three), ("density", five), ("coverage", five)]:
        compare(f"{name}{suffix}", figures[f"{name}{suffix}"], values[name])

logits = load("-logits")
compare("inception_score", figures["inception_score"], inception_score(logits))
counts = np.bincount(logits.argmax(1), minlength=logits.shape[1])
compare("classes", float(figures["classes"] == counts.tolist()), 1.0)
compare(
    "class_distance_from_uniform",
    figures["class_distance_from_uniform"],
    np.abs(counts / counts.sum() - 1 / len(counts)).sum() / 2,
)
distances = nearest(generated, training), nearest(test, training)
u, p = scipy.stats.mannwhitneyu(*distances, use_continuity=False, method="asymptotic")
m, n = map(len, distances)
compare("copying_share_farther", figures["copying_share_farther"], u / (m * n))
ranks = scipy.stats.rankdata(np.concatenate(distances))
ties = np.unique(ranks, return_counts=True)[1].astype(float)
variance = m * n / 12 * (m + n + 1 - (ties**3 - ties).sum() / ((m + n) * (m + n - 1)))
compare("copying_deviations", figures["copying_deviations"], (u - m * n / 2) / np.sqrt(variance))

try:
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
except ImportError as error:
    print(f"torch-fidelity is not there: {error}")
else:
    statistics = [fid_features_to_statistics(torch.from_numpy(x)) for x in (generated, test)]
    value = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    compare("fcd by torch-fidelity", figures["fcd"], value)
    value = isc_features_to_metric(torch.from_numpy(logits), splits=1, shuffle=False)
    compare("inception score by torch-fidelity", figures["inception_score"],
            value["inception_score_mean"])

if failures:
    sys.exit(f"not the same: {', '.join(failures)}")
print("all figures agree")
