SELECT clientele.fit_mbgnbd(x, t_x, age) FROM bench.histories;
