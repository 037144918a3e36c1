"""python estimators.py FOLDER

What scikit-learn learns, each on data that it brings along, as skl2onnx writes it for samples in float32 and in float64; and in
estimators.json, beside what is written, some samples that were not learned from and what scikit-learn says of them.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn import cluster, datasets, decomposition, discriminant_analysis, ensemble, gaussian_process
from sklearn import linear_model, naive_bayes, neighbors, neural_network, svm, tree
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

warnings.filterwarnings("ignore")

seed = 0
kept = 60

classifiers = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), linear_model.LogisticRegression()),
    "ridge classifier": lambda: linear_model.RidgeClassifier(),
    "perceptron": lambda: make_pipeline(MaxAbsScaler(), linear_model.Perceptron(random_state=seed)),
    "stochastic gradient descent": lambda: make_pipeline(
        Normalizer(), linear_model.SGDClassifier(loss="log_loss", random_state=seed)
    ),
    "linear discriminants": lambda: discriminant_analysis.LinearDiscriminantAnalysis(),
    "quadratic discriminants": lambda: discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.1),
    "naive Bayes, Gaussian": lambda: naive_bayes.GaussianNB(),
    "naive Bayes, Bernoulli": lambda: make_pipeline(Binarizer(threshold=1.0), naive_bayes.BernoulliNB()),
    "naive Bayes, multinomial": lambda: make_pipeline(MinMaxScaler(), naive_bayes.MultinomialNB()),
    "support vectors, RBF": lambda: make_pipeline(MinMaxScaler(), svm.SVC(random_state=seed)),
    "support vectors, polynomial": lambda: make_pipeline(MinMaxScaler(), svm.SVC(kernel="poly", random_state=seed)),
    "support vectors, linear": lambda: make_pipeline(RobustScaler(), svm.LinearSVC(random_state=seed)),
    "nearest neighbours": lambda: neighbors.KNeighborsClassifier(5),
    "nearest neighbours, weighted": lambda: neighbors.KNeighborsClassifier(7, weights="distance"),
    "nearest centroid": lambda: neighbors.NearestCentroid(),
    "decision tree": lambda: tree.DecisionTreeClassifier(random_state=seed),
    "random forest": lambda: ensemble.RandomForestClassifier(50, random_state=seed),
    "extra trees": lambda: ensemble.ExtraTreesClassifier(50, random_state=seed),
    "gradient boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=30, random_state=seed),
    "histogram boosting": lambda: ensemble.HistGradientBoostingClassifier(max_iter=30, random_state=seed),
    "AdaBoost": lambda: ensemble.AdaBoostClassifier(n_estimators=20, random_state=seed),
    "bagging": lambda: ensemble.BaggingClassifier(n_estimators=10, random_state=seed),
    "stacking": lambda: ensemble.StackingClassifier(
        [("a", linear_model.LogisticRegression(max_iter=500)), ("b", naive_bayes.GaussianNB())]
    ),
    "voting": lambda: ensemble.VotingClassifier(
        [("a", linear_model.LogisticRegression(max_iter=500)), ("b", tree.DecisionTreeClassifier(max_depth=4))],
        voting="soft",
        flatten_transform=False,
    ),
    "neural network": lambda: make_pipeline(
        StandardScaler(), neural_network.MLPClassifier((32, 16), max_iter=300, random_state=seed)
    ),
    "principal components": lambda: make_pipeline(
        StandardScaler(), decomposition.PCA(8), linear_model.LogisticRegression()
    ),
    "polynomial features": lambda: make_pipeline(
        MinMaxScaler(), SelectKBest(k=8), PolynomialFeatures(2), linear_model.LogisticRegression()
    ),
    "selected features": lambda: make_pipeline(SelectKBest(k=10), linear_model.LogisticRegression(max_iter=500)),
    "quantiles": lambda: make_pipeline(
        QuantileTransformer(n_quantiles=20, random_state=seed), linear_model.LogisticRegression()
    ),
    "power transform": lambda: make_pipeline(PowerTransformer(), linear_model.LogisticRegression()),
    "bins": lambda: make_pipeline(
        SelectKBest(k=8), KBinsDiscretizer(4, encode="onehot-dense"), linear_model.LogisticRegression()
    ),
    "k-means": lambda: cluster.KMeans(5, random_state=seed, n_init=3),
    "k-means in small batches": lambda: cluster.MiniBatchKMeans(5, random_state=seed, n_init=3),
}

regressors = {
    "linear regression": lambda: linear_model.LinearRegression(),
    "ridge": lambda: make_pipeline(StandardScaler(), linear_model.Ridge()),
    "lasso": lambda: linear_model.Lasso(0.1),
    "elastic net": lambda: linear_model.ElasticNet(0.1),
    "Huber": lambda: linear_model.HuberRegressor(max_iter=1000),
    "Bayesian ridge": lambda: linear_model.BayesianRidge(),
    "Poisson": lambda: linear_model.PoissonRegressor(),
    "support vector regression": lambda: make_pipeline(StandardScaler(), svm.SVR(C=100)),
    "Gaussian process": lambda: gaussian_process.GaussianProcessRegressor(alpha=0.1, random_state=seed),
    "neighbours' mean": lambda: neighbors.KNeighborsRegressor(),
    "regression tree": lambda: tree.DecisionTreeRegressor(random_state=seed),
    "regression forest": lambda: ensemble.RandomForestRegressor(30, random_state=seed),
    "boosted regression": lambda: ensemble.GradientBoostingRegressor(n_estimators=30, random_state=seed),
    "histogram-boosted regression": lambda: ensemble.HistGradientBoostingRegressor(max_iter=30, random_state=seed),
    "regression network": lambda: make_pipeline(
        StandardScaler(), neural_network.MLPRegressor(hidden_layer_sizes=(32,), max_iter=300, random_state=seed)
    ),
}


def written(name, kind, model, split, folder):
    learned, held, labels, _ = split
    model.fit(learned, labels)
    said = model.predict(held[:kept])
    for dtype in ("float32", "float64"):
        entry = {"name": name, "kind": kind, "dtype": dtype}
        try:
            options = {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None
            onnx = to_onnx(model, learned[:1].astype(dtype), options=options)
            file = f"{name.replace(' ', '-').replace(',', '')}-{dtype}.onnx"
            (folder / file).write_bytes(onnx.SerializeToString())
            yield {**entry, "file": file, "samples": held[:kept].tolist(), "said": said.tolist()}
        except Exception as error:
            yield {**entry, "error": str(error).split("\n")[0][:200]}


def main(folder):
    np.random.seed(seed)
    entries = []
    sets = {
        "label": (classifiers, [datasets.load_breast_cancer(return_X_y=True), datasets.load_digits(return_X_y=True)]),
        "number": (regressors, [datasets.load_diabetes(return_X_y=True)]),
    }
    for kind, (models, data) in sets.items():
        for at, (samples, labels) in enumerate(data):
            split = train_test_split(samples, labels, test_size=0.3, random_state=seed)
            for name, build in models.items():
                called = name if at == 0 else f"{name}, digits"
                entries.extend(written(called, kind, build(), split, folder))
    (folder / "estimators.json").write_text(json.dumps(entries))


main(Path(sys.argv[1]))
