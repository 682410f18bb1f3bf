# Learned segments on random customers and under several sessions: bulk, single and by hand are one, also in a live store;
# the order of rows does not matter; nobody waits while it learns, readers never; it can be cancelled.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('learn', "autovacuum = off\n");
$node->safe_psql('postgres', q{CREATE EXTENSION clientele;
	CREATE TABLE orders (order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
	CREATE INDEX ON orders (customer_id);
	SELECT setseed(0.125);
	INSERT INTO orders (customer_id, ordered_at, amount)
		SELECT c, timestamptz '2025-06-01' - n * random() * (10 + c % 40) * interval '1 day', exp(2 + c % 3 + random())
		FROM generate_series(1, 4000) c, generate_series(1, 1 + c % 7) n;
	SELECT clientele.create_store('shop', 'orders');
	CALL clientele.refresh('shop')});

my $features = q{'{last_purchase_age, log1p(total_spent), orders}'};
my ($learner, $reader, $definer) = map { session($node, 'postgres') } 1 .. 3;
ask($_, q{SET lock_timeout = '10s'; SET statement_timeout = '60s'}) for $learner, $reader, $definer;

sub one_truth
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(ask($reader, q{SELECT count(*), count(*) FILTER (WHERE segment IS DISTINCT FROM clientele.assign_segment(customer_id, segmentation => 'habits'))
		FROM shop.segments WHERE segmentation = 'habits'}), '4000|0', "$name: bulk and single");
	is(ask($reader, qq{WITH m AS (SELECT parameters p FROM clientele.models WHERE kind = 'kmeans:habits' AND in_use), t AS (
			SELECT clientele.kmeans(ARRAY[last_purchase_age, clientele.log1p(total_spent), orders], 5, 0, true) AS model
			FROM (SELECT * FROM shop.customers ORDER BY hashint4(customer_id)) c)
		SELECT count(*) FROM m, t, shop.customers c JOIN shop.segments s USING (customer_id) WHERE s.segmentation = 'habits' AND s.segment
			<> p->'names'->>(clientele.nearest_cluster(t.model, ARRAY[c.last_purchase_age, clientele.log1p(c.total_spent), c.orders]) - 1)}), '0', "$name: by hand");
	is(ask($reader, q{SELECT sum(customers), round(sum(share)::numeric, 9), bool_and(customers = (SELECT count(*) FROM shop.segments s
			WHERE s.segmentation = 'habits' AND s.segment = d.segment)) FROM clientele.describe_segments('shop', 'habits') d}), '4000|1.000000000|t', "$name: described");
	return;
}

# ---- The same model, whatever the order of the rows ----

my $learn = qq{SELECT count(*) FROM clientele.learn_segments('shop', 'habits', $features, 5)};
is(ask($learner, $learn), '1', 'learned');
one_truth('learned');
$node->safe_psql('postgres', q{CREATE TABLE kept AS SELECT * FROM shop.profiles; TRUNCATE shop.profiles;
	INSERT INTO shop.profiles SELECT * FROM kept ORDER BY md5(customer_id::text); DROP TABLE kept});
is(ask($learner, $learn), '1', 'learned again');
is(ask($reader, q{SELECT count(*), count(DISTINCT parameters), max(diagnostics->'drift'->>'moved') FROM clientele.models}), '2|1|[0, 0, 0, 0, 0]', 'the same model, and no drift');

# ---- Live ----

is(ask($definer, q{SELECT clientele.set_live('shop', true)}), '', 'live');
$node->safe_psql('postgres', q{INSERT INTO orders (customer_id, ordered_at, amount) SELECT c, '2025-06-02', 300 FROM generate_series(1, 4000, 3) c});
is(ask($learner, q{SELECT count(*) FROM clientele.learn_segments('shop', 'habits')}), '1', 'learned from what is pending, as before');
one_truth('live');
is(ask($reader, q{SELECT (diagnostics->'drift'->>'moved') = '[0, 0, 0, 0, 0]' FROM clientele.models WHERE in_use}), 'f', 'it has drifted');

# ---- Sessions ----

ask($reader, q{SET plan_cache_mode = force_generic_plan; PREPARE names AS SELECT count(*) FROM shop.segments WHERE segmentation = 'habits' AND segment = 'often'});
is(ask($reader, 'EXECUTE names'), '0', 'no such name');
is(ask($learner, q{BEGIN; SELECT clientele.rename_segment('shop', segment, 'often', 'habits') FROM shop.segment_rules WHERE segmentation = 'habits' AND priority = 10}), '', 'renamed');
is(ask($reader, 'EXECUTE names'), '0', 'readers neither see it nor wait');
is(ask($learner, 'COMMIT'), '', 'committed');
isnt(ask($reader, 'EXECUTE names'), '0', 'and see it at their next statement');

is(ask($learner, "BEGIN; $learn"), '1', 'learned, not committed');
is(ask($reader, q{SELECT count(DISTINCT segment) FROM shop.segments WHERE segmentation = 'habits'}), '5', 'readers do not wait');
my $pid = ask($definer, 'SELECT pg_backend_pid()');
begin_asking($definer, q{SELECT clientele.define_segment('shop', 'keen', 'orders > 5')});
ok($node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid"), 'who defines waits for the end');
is(ask($learner, 'COMMIT'), '', 'committed');
like(ask($definer, 'SELECT 1'), qr{^\s*1$}, 'and goes on');

# While it learns nobody waits: all that time there is no lock on the settings.
$pid = ask($learner, 'SELECT pg_backend_pid()');
begin_asking($learner, qq{SELECT count(*) FROM clientele.learn_segments('shop', 'habits', $features, max_k => 50)});
ok($node->poll_query_until('postgres', "SELECT query LIKE '%max_k%' AND state = 'active' FROM pg_stat_activity WHERE pid = $pid"), 'it learns');
is(ask($definer, q{SET lock_timeout = '100ms'; SELECT clientele.define_segment('shop', 'keen', 'orders > 6')}), '', 'meanwhile others define');
is($node->safe_psql('postgres', "SELECT state, count(l.*) FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND l.mode NOT IN ('AccessShareLock', 'ExclusiveLock')
	WHERE a.pid = $pid GROUP BY 1"), 'active|0', 'it was learning still, and had no lock but for reading');
my $start = time;
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
like(ask($learner, 'SELECT 1'), qr/canceling statement due to user request/, 'cancelled');
cmp_ok(time - $start, '<', 2, 'at once');
is(ask($reader, q{SELECT count(DISTINCT segment) FROM shop.segments WHERE segmentation = 'habits'}), '5', 'all is as it was');

# ---- A snapshot from before ----

ask($learner, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
ask($definer, q{SELECT clientele.define_segment('shop', 'keen', 'orders > 7')});
like(ask($learner, $learn), qr/40001|could not serialize/, 'an older snapshot than the last definition is a serialization failure');
ask($learner, 'ROLLBACK');

# ---- Row-level security ----

is(ask($definer, q{RESET lock_timeout; CREATE ROLE keeper; GRANT CREATE ON DATABASE postgres TO keeper; GRANT SELECT ON orders TO keeper; CREATE TABLE people (customer_id int PRIMARY KEY);
	INSERT INTO people SELECT generate_series(1, 4000); GRANT SELECT ON people TO keeper; ALTER TABLE people ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON people USING (customer_id % 2 = 0);
	SET ROLE keeper; SET client_min_messages = warning; SELECT clientele.create_store('kept', 'orders', customers => 'people'); RESET client_min_messages}), '', 'a store of another owner');
is(ask($definer, q{SELECT count(*) FROM kept.customers}), '2000', 'a policy hides customers');
like(ask($definer, q{SELECT clientele.learn_segments('kept', 'habits', '{orders}')}), qr/row-level security/, 'nothing is learned from some of them');

done_testing();
