# Plans: the aggregates work in parallel and spill, the views are inlined, and one customer is found by index.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('plans');
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres');
create_store($node, 'postgres');

sub plan_of
{
	my ($query, $settings) = @_;
	$settings //= '';
	return $node->safe_psql('postgres', "$settings; EXPLAIN (VERBOSE, COSTS OFF) $query");
}

# ---- The aggregates ----

$node->safe_psql('postgres', q{
	CREATE TABLE many AS
		SELECT c, timestamptz '2024-01-01' + make_interval(secs => (c * 7919 + n * 104729)::bigint % 60000000) AS at,
			((c * 31 + n * 17) % 20000 - 500) / 100.0 AS amount, 'Europe/Berlin' AS zone
		FROM generate_series(1, 20000) c, generate_series(1, 1 + c % 20) n;
	ALTER TABLE many SET (parallel_workers = 2);
	ANALYZE many;
});
my $parallel = 'SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0';
my $profiles = 'SELECT c, clientele.order_profile(at, amount) AS p FROM many GROUP BY c';
my $in_zone = 'SELECT c % 10 AS c, clientele.order_profile(at, amount, zone) AS p FROM many GROUP BY 1';

$node->safe_psql('postgres', qq{
	CREATE TABLE serial AS SELECT q.*, c % 100 AS g FROM ($profiles) q;
	CREATE TABLE serial_in_zone AS $in_zone;
	ANALYZE serial;
	ALTER TABLE serial SET (parallel_workers = 2);
	CREATE TABLE serial_rollup AS SELECT g AS c, clientele.rollup(p) AS p FROM serial GROUP BY 1;
});
for my $case (
	[ 'order_profile', $profiles, 'serial' ],
	[ 'order_profile in a time zone', $in_zone, 'serial_in_zone' ],
	[ 'rollup', 'SELECT g AS c, clientele.rollup(p) AS p FROM serial GROUP BY 1', 'serial_rollup' ])
{
	my ($name, $query, $expected) = @$case;
	for my $method ([ hashed => 'SET enable_sort = off' ], [ sorted => 'SET enable_hashagg = off' ])
	{
		my $how = "$parallel; $method->[1]";
		like(plan_of($query, $how), qr/Finalize .*Aggregate.*Gather.*Partial .*Aggregate/s, "$name, $method->[0]: workers aggregate partially");
		$node->safe_psql('postgres', "$how; CREATE TABLE result AS $query");
		same_rows($node, 'postgres', 'SELECT c, p FROM result', "SELECT c, p FROM $expected", "$name, $method->[0]: and give the same profiles");
		is($node->safe_psql('postgres', "SELECT count(*) FROM result r JOIN $expected s USING (c)
			WHERE clientele.order_profile_send(r.p) <> clientele.order_profile_send(s.p)"), '0', "$name, $method->[0]: to the last byte");
		$node->safe_psql('postgres', 'DROP TABLE result');
	}
}

my $small = q{SET work_mem = '1MB'; SET hash_mem_multiplier = 1; SET enable_sort = off};
my $spilled = $node->safe_psql('postgres', "$small; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $profiles");
like($spilled, qr/HashAggregate.*Batches: (?:[2-9]|\d\d)/s, 'with little memory the aggregate spills');
my ($memory) = $spilled =~ /Memory Usage: (\d+)kB/;
cmp_ok($memory, '<', 2500, "and keeps to its memory ($memory kB)");
$node->safe_psql('postgres', "$small; CREATE TABLE result AS $profiles");
same_rows($node, 'postgres', 'SELECT * FROM result', 'SELECT c, p FROM serial', 'and gives the same profiles');

# Few groups with many orders each: there is nothing to spill, so the states themselves must be small.
SKIP:
{
	skip 'needs /proc', 1 unless -r '/proc/self/status';
	my $session = session($node, 'postgres');
	my $pid = ask($session, 'SELECT pg_backend_pid()');
	my $peak = sub { return slurp_file("/proc/$pid/status") =~ /VmHWM:\s+(\d+)/ ? $1 : undef };
	ask($session, 'SELECT clientele.order_profile(at, amount) IS NULL, max(hashtext(zone)) FROM many');
	my $before = $peak->();
	is( ask($session, q{SELECT count(p) FROM (
			SELECT i % 20 AS c, clientele.order_profile(timestamptz '2024-01-01' + i * interval '1 minute', i % 9000) AS p
			FROM generate_series(1, 1000000) i GROUP BY 1) q}), '20', 'a million orders of twenty customers');
	my $grown = $peak->() - $before;
	cmp_ok($grown, '<', 40000, "take little memory ($grown kB)");
	$session->quit;
}

# ---- The views ----

for my $view (qw(customers segments campaign offers offer_decisions segment_sizes offer_summary))
{
	unlike(plan_of("SELECT * FROM shop.$view"), qr/_segment_main|_segments\(|_matches|_offer_book|_base_at/, "shop.$view has no generated function left in its plan");
}
unlike(plan_of(q{SELECT * FROM shop.customers_at(now() - interval '3 days')}), qr/_segment_main|customers_at|_base_at/, 'nor has shop.customers_at');
unlike(plan_of('SELECT customer_id FROM shop.customers'), qr/evening_share/, 'a column that no one asks for is not computed');

for my $view (qw(customers segments campaign offers offer_decisions))
{
	my $plan = plan_of("SELECT * FROM shop.$view WHERE customer_id = 42");
	like($plan, qr/Index (?:Only )?Scan using profiles_pkey/, "one customer of shop.$view: the profile is found by index");
	like($plan, qr/Index (?:Only )?Scan using customers_pkey/, 'and the attributes are');
	my $generic = $node->safe_psql('postgres', "SET plan_cache_mode = force_generic_plan;
		PREPARE q(bigint) AS SELECT * FROM shop.$view WHERE customer_id = \$1; EXPLAIN (COSTS OFF) EXECUTE q(42)");
	unlike($generic, qr/Seq Scan on (?:profiles|customers)/, 'with a parameter, too');
}

my $past = plan_of(q{SELECT * FROM shop.customers_at(now() - interval '3 days') WHERE customer_id = 42});
like($past, qr/(?:Index Scan|Bitmap Heap Scan).*on public\.orders/, 'one customer as of a time: the orders are found by index');
unlike($past, qr/Seq Scan on public\.(?:orders|order_items|customers)/, 'and nothing is read whole');
my $past_generic = $node->safe_psql('postgres', q{SET plan_cache_mode = force_generic_plan;
	PREPARE q(bigint, timestamptz) AS SELECT * FROM shop.customers_at($2) WHERE customer_id = $1; EXPLAIN (VERBOSE, COSTS OFF) EXECUTE q(42, '2026-01-01')});
unlike($past_generic, qr/Seq Scan on public\.(?:orders|order_items|customers)/, 'with parameters, too');

# Many customers at once: what is asked for them is joined, not looked up one by one.
unlike(plan_of('SELECT * FROM shop.customers'), qr/SubPlan/, 'shop.customers has no sub-plan a row');
like(plan_of('SELECT * FROM shop.campaign', "$parallel; SET min_parallel_table_scan_size = 0"), qr/Gather/, 'shop.campaign can run in parallel');
same_rows($node, 'postgres', 'SELECT customer_id, segment, program, reward FROM shop.campaign WHERE program IS NOT NULL',
	'SELECT c.customer_id, clientele.assign_segment(c.customer_id), o.program, o.reward
	 FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o', 'the views and the look-ups agree');

done_testing();
