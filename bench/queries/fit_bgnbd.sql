SELECT clientele.fit_bgnbd(x, t_x, age) FROM bench.histories;
