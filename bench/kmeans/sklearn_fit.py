# scikit-learn's k-means on bench.customers, from the start that clientele draws. Arguments: psql and its options.
# Prints, tab-separated: what, seconds, inertia, iterations.
import io, os, subprocess, sys, time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # one thread, as a backend has it
import numpy
from sklearn.cluster import KMeans


def ask(sql):
    return subprocess.run(sys.argv[1:] + ["-At", "-c", sql], check=True, capture_output=True, text=True).stdout


start = numpy.array(ask("""SELECT string_agg(x::text, ' ') FROM unnest((SELECT
    clientele._kmeans_start(ARRAY[recency, orders, spent, gap], 8, 1, true) FROM bench.customers)) AS x""").split(), float).reshape(8, 4)

began = time.perf_counter()
csv = ask("COPY (SELECT recency, orders, spent, gap FROM bench.customers) TO STDOUT (FORMAT csv)")
raw = numpy.loadtxt(io.StringIO(csv), delimiter=",")
print("export", time.perf_counter() - began, 0, 0, sep="\t")

rows = (raw - raw.mean(0)) / raw.std(0)
start = (start - raw.mean(0)) / raw.std(0)
for name, tolerance in ("default tolerance", 1e-4), ("to convergence", 0):
    for algorithm in "lloyd", "elkan":
        began = time.perf_counter()
        model = KMeans(8, init=start, n_init=1, algorithm=algorithm, tol=tolerance, max_iter=1000).fit(rows)
        print(f"{algorithm}, {name}", time.perf_counter() - began, model.inertia_, model.n_iter_, sep="\t")
