"""The model as MLflow loads it: weights.json, which the pipeline has written."""
import json


class Model:
    def __init__(self, weights):
        self.intercept = weights.pop("intercept")
        self.weights = weights

    def predict(self, data):
        return self.intercept + sum(data[name] * weight for name, weight in self.weights.items())


def _load_pyfunc(path):
    with open(path) as f:
        return Model(json.load(f))
