# Learning what goes with what, with several sessions: orders come in and suggestions are read all the while, it can be cancelled, and
# what was learnt before stays in use until the new version is committed.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('affinity', "autovacuum = off\n");
# Small orders to learn from at once; and 150 of 4,000 products each, whose pairs take long to count.
$node->safe_psql('postgres', q{CREATE EXTENSION clientele;
	CREATE TABLE orders (order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
	CREATE TABLE lines (order_id bigint, category text, amount numeric(10, 2), product int);
	CREATE TABLE products (product_id int PRIMARY KEY, name text, price numeric(10, 2));
	INSERT INTO orders (customer_id, ordered_at, amount) SELECT o % 100, now() - o * interval '1 hour', 20 FROM generate_series(1, 750) o;
	INSERT INTO lines SELECT o, 'food', 5, p FROM generate_series(1, 600) o, unnest(ARRAY[o % 3, 10 + o % 3]) p;
	INSERT INTO lines SELECT o, 'food', 5, p FROM generate_series(601, 750) o, generate_series(100, 4099) p;
	INSERT INTO products SELECT p, 'product ' || p, 1 + p FROM generate_series(0, 4099) p;
	CREATE INDEX ON orders (customer_id); CREATE INDEX ON lines (order_id);
	SELECT clientele.create_store('shop', 'orders', items => 'lines', item_product => 'product', products => 'products', live => true);
	CALL clientele.refresh('shop')});
my ($learner, $reader, $till) = map { session($node, 'postgres') } 1 .. 3;
ask($_, q{SET client_min_messages = warning; SET statement_timeout = '120s'}) for $learner, $reader, $till;
ask($_, q{SET lock_timeout = '20ms'}) for $reader, $till;
# Little memory, so that it counts product by product, block by block, and says how far it is.
ask($learner, q{SET maintenance_work_mem = '1MB'});

my $suggest = q{SELECT string_agg(products[1], ',' ORDER BY score DESC) FROM clientele.suggest_fill(1000, '{1}', most => 1)};
my $learnt = q{SELECT (SELECT string_agg(version || ' ' || in_use, ',' ORDER BY version) FROM clientele.models WHERE kind = 'affinity'), count(*), count(DISTINCT learnt) FROM shop.product_neighbours};
is(ask($learner, q{SELECT version, products, left_out FROM clientele.learn_affinity('shop')}), '1|6|150', 'learnt from small orders');
is(ask($reader, $suggest), '11', 'and it suggests');
is(ask($reader, $learnt), '1 true|6|1', 'one version');

# ---- While it counts ----

my $pid = ask($learner, 'SELECT pg_backend_pid()');
begin_asking($learner, q{SELECT version, left_out FROM clientele.learn_affinity('shop', max_products => 10000)});
ok($node->poll_query_until('postgres', "SELECT phase = 'pairing' AND done > 0 AND store = 'shop' FROM clientele.refresh_progress WHERE pid = $pid"), 'it counts pairs');
for my $turn (1 .. 5)
{
	is(ask($till, qq{WITH o AS (INSERT INTO orders (customer_id, ordered_at, amount) VALUES (1000, now(), 30) RETURNING order_id)
		INSERT INTO lines SELECT order_id, 'food', 30, 2 FROM o}), '', "order $turn comes in");
	is(ask($reader, "SELECT orders FROM shop.customers WHERE customer_id = 1000; $suggest"), "$turn\n11", 'is counted, and suggestions go on');
}
is(ask($till, q{SELECT clientele.define_segment('shop', 'keen', 'orders > 6')}), '', 'who defines does not wait');
is($node->safe_psql('postgres', "SELECT state, string_agg(l.relation::regclass || ' ' || l.mode, ',') FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND l.mode NOT IN ('AccessShareLock', 'ExclusiveLock')
	WHERE a.pid = $pid GROUP BY 1"), 'active|shop.product_neighbours RowExclusiveLock', 'it was counting still, and had no lock but for reading, and for writing its own rows');

# ---- Cancelled ----

my $start = time;
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
like(ask($learner, 'SELECT 1'), qr/canceling statement due to user request/, 'cancelled');
cmp_ok(time - $start, '<', 2, 'at once');
is(ask($reader, $learnt), '1 true|6|1', 'nothing is left of it');
is(ask($reader, $suggest), '11', 'what was learnt before is in use');
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM pg_ls_tmpdir()), (SELECT count(*) FROM clientele.refresh_progress)}), '0|0', 'no file and no progress either');

# ---- Learnt, and not committed yet ----

ask($till, q{INSERT INTO lines SELECT order_id, 'food', 1, 12 FROM lines WHERE product = 1; DELETE FROM lines WHERE product = 11});
is(ask($learner, q{BEGIN; SELECT version FROM clientele.learn_affinity('shop')}), '2', 'learnt anew');
is(ask($reader, $suggest), '11', 'readers neither see it nor wait');
$pid = ask($till, q{RESET lock_timeout; SELECT pg_backend_pid()});
begin_asking($till, q{SELECT clientele.define_segment('shop', 'keener', 'orders > 9')});
ok(waits_for_lock($node, 'postgres', $pid), 'who defines waits for the end');
is(ask($learner, 'COMMIT'), '', 'committed');
like(ask($till, 'SELECT 1'), qr{^\s*1$}, 'and goes on');
is(ask($reader, $suggest), '12', 'readers see it at their next statement');

# ---- The session ends ----

$pid = ask($learner, 'SELECT pg_backend_pid()');
begin_asking($learner, q{SELECT version FROM clientele.learn_affinity('shop', max_products => 10000)});
ok($node->poll_query_until('postgres', "SELECT phase = 'pairing' AND done > 0 FROM clientele.refresh_progress WHERE pid = $pid"), 'it counts pairs again');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 5000)");
is(ask($reader, $learnt), '1 false,2 true|11|2', 'a session that ends in the middle leaves nothing');
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM pg_ls_tmpdir()), (SELECT count(*) FROM clientele.refresh_progress)}), '0|0', 'neither a file nor progress');
exact($node, 'postgres', 'shop', 'and the store is exact');

done_testing();
