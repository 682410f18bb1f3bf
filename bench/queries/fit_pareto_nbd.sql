SELECT clientele.fit_pareto_nbd(x, t_x, age) FROM bench.histories;
