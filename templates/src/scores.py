"""Judge a binary classifier on data it has not seen, and track the result."""

import matplotlib as mpl
import mlflow
from sklearn.metrics import accuracy_score, roc_auc_score, roc_curve

mpl.use("Agg")  # a job has no screen


def score(model, features, target):
    """Return the accuracy and the area under the ROC curve."""
    probability = model.predict_proba(features)[:, 1]
    return {
        "Accuracy": float(accuracy_score(target, model.predict(features))),
        "AUC": float(roc_auc_score(target, probability)),
    }


def roc_figure(model, features, target):
    """Return the ROC curve as a figure."""
    from matplotlib import pyplot as plt

    false_positives, true_positives, _ = roc_curve(target, model.predict_proba(features)[:, 1])
    figure, axes = plt.subplots(figsize=(6, 4))
    axes.plot([0, 1], [0, 1], "k--")
    axes.plot(false_positives, true_positives)
    axes.set(xlabel="False positive rate", ylabel="True positive rate", title="ROC curve")
    return figure


def track(model, features, target):
    """Log metrics and ROC curve of a model to the current MLflow run and return the metrics."""
    metrics = score(model, features, target)
    for name, value in metrics.items():
        print(f"{name}: {value:.4f}")
    mlflow.log_metrics(metrics)
    mlflow.log_figure(roc_figure(model, features, target), "roc.png")
    return metrics
