# Models of a store with several sessions: readers neither wait nor see half a model, refits come one after the other, what is cut
# short changes nothing; dump and restore, a standby, roles, plans.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = new_server('models', "wal_level = replica\n", allows_streaming => 1);
my $db = 'shop';
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE ROLE reader LOGIN; CREATE ROLE nightly LOGIN; CREATE DATABASE shop OWNER owner');
my @as_owner = (extra_params => [ '-U', 'owner' ]);
sub as_owner { my ($query) = @_; return $node->safe_psql($db, $query, @as_owner); }

$node->safe_psql($db, 'CREATE EXTENSION clientele', @as_owner);
# Customers who come and go: leaving is more or less likely for each of them.
as_owner(q{
	CREATE TABLE customers (customer_id bigint PRIMARY KEY, children integer);
	INSERT INTO customers SELECT c, c % 4 FROM generate_series(1, 20000) c;
	CREATE TABLE orders (order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(12, 2));
	INSERT INTO orders (customer_id, ordered_at, amount)
	SELECT c, date_trunc('day', now()) - (days - floor(t)::int) * interval '1 day' + interval '9 hours', round((mean * (0.5 + clientele.bucket('amount', c || ':' || i)))::numeric, 2)
	FROM (SELECT c, 30 + (500 * clientele.bucket('first', c::text))::int AS days, 15 + 60 * clientele.bucket('gap', c::text) AS gap, 10 + 90 * clientele.bucket('mean', c::text) ^ 2 AS mean,
		least(40, floor(ln(1 - clientele.bucket('life', c::text)) / ln(1 - 0.01 - 0.98 * clientele.bucket('leaves', c::text) ^ 1.5)))::int AS life FROM generate_series(1, 19000) c) s
	CROSS JOIN LATERAL (SELECT 0 AS i, 0.0::float8 AS t UNION ALL
		SELECT i, sum(-ln(1 - clientele.bucket('t', c || ':' || i)) * gap) OVER (ORDER BY i) FROM generate_series(1, life) i) e
	WHERE t < days - 1;
	CREATE INDEX ON orders (customer_id);
	ANALYZE orders, customers;
	SET client_min_messages = warning;
	SELECT clientele.create_store('shop', 'orders', customers => 'customers', attributes => '{children}', margin => 0.4);
	CALL clientele.refresh('shop');
	SELECT clientele.define_offer('shop', 'back', 'win_back');
	ANALYZE shop.profiles;
});

# ---- Readers ----

is(as_owner(q{SELECT version, in_use, converged FROM clientele.fit_clv('shop', 'bgnbd', holdout_days => 0)}), '1|t|t', 'a first model');
is(as_owner(q{SELECT version, in_use, converged FROM clientele.fit_clv('shop', 'mbgnbd', holdout_days => 0)}), '2|t|t', 'a second one');
as_owner(q{GRANT USAGE ON SCHEMA shop TO reader, nightly; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader, nightly; GRANT SELECT ON customers, orders TO reader, nightly});

# Some customers' columns by each version: all that a statement shows belongs to one of them.
my $columns = q{md5(string_agg(format('%s %s %s %s %s', p_alive, expected_orders_90d, expected_order_value, clv_1y, expected_next_order_at), ',' ORDER BY customer_id))};
my $query = "SELECT $columns FROM shop.customers WHERE customer_id <= 200";
my %known;
for my $version (1, 2)
{
	as_owner("SELECT clientele.use_model('shop', 'clv', $version)");
	$known{ as_owner($query) } = $version;
}
is(scalar(keys %known), 2, 'two models, two answers');
my $reader = session($node, $db, user => 'reader');
ask($reader, q{SET lock_timeout = '20ms'});
my $refitter = session($node, $db, user => 'owner');
# One statement all along, and so busy until the end; each version is committed.
my $refitting = ask($refitter, 'SELECT pg_backend_pid()');
begin_asking($refitter, q{DO $$ BEGIN FOR i IN 0 .. 200 LOOP PERFORM clientele.use_model('shop', 'clv', 2 - i % 2); COMMIT; END LOOP; END $$});
$node->poll_query_until($db, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $refitting");
my (%seen, $longest);
my $until = time + 30;
my $busy = 1;
while ($busy && time < $until)
{
	my $start = time;
	my $answer = ask($reader, $query);
	my $took = time - $start;
	$longest = $took if !defined $longest || $took > $longest;
	$seen{ defined $known{$answer} ? $known{$answer} : $answer }++;
	$busy = $node->safe_psql($db, qq{SELECT count(*) FROM pg_stat_activity WHERE pid = $refitting AND state = 'active'});
}
is(ask($refitter, 'SELECT 1'), '1', 'models were put in use 201 times');
is_deeply([ sort keys %seen ], [ 1, 2 ], 'and every reader saw the one or the other, without waiting');
note("answers by version: $seen{1} and $seen{2}; the slowest took $longest s");

# A model that is put in use and not yet committed: the reader sees the old one, without waiting; so does a refresh until it writes.
is(ask($refitter, q{BEGIN; SELECT clientele.use_model('shop', 'clv', 1)}), '', 'use_model, not committed');
is($known{ ask($reader, $query) }, 2, 'a reader sees the model in use before');
is(ask($reader, q{SELECT version FROM clientele.models WHERE in_use}), '2', 'and that is what is listed');
is(ask($reader, q{SELECT count(*) FROM shop.offer_decisions WHERE status = 'offered'}) > 0, 1, 'offers do not wait either');
is(ask($refitter, q{COMMIT}), '', 'committed');
is($known{ ask($reader, $query) }, 1, 'now the reader sees the other');

# ---- Refits ----

# While a fit computes, it holds no lock that anybody waits for: definers do not.
my $definer = session($node, $db, user => 'owner');
my $pid = $refitting;
ask($refitter, 'BEGIN');
begin_asking($refitter, q{SELECT clientele._holdout('shop', 'pareto_nbd', now(), 180) IS NOT NULL});
ask($definer, q{SET lock_timeout = '20ms'});
is(ask($definer, q{SELECT clientele.define_segment('shop', 'x', 'clv_1y > 100'); SELECT clientele.drop_segment('shop', 'x')}) =~ /^\s*$/, 1, 'definers do not wait for what is computed');
ask($refitter, 'ROLLBACK');

# Two at once: one after the other, each a version of its own.
begin_asking($refitter, q{SELECT version FROM clientele.fit_clv('shop', 'bgnbd', holdout_days => 30)});
ask($definer, 'RESET lock_timeout');
my $other = ask($definer, q{SELECT version FROM clientele.fit_clv('shop', 'mbgnbd', holdout_days => 30)});
ask($refitter, 'SELECT 1');
is(as_owner(q{SELECT string_agg(version || ':' || (parameters #>> '{purchase,model}'), ' ' ORDER BY version) FROM clientele.models}) =~ /^1:bgnbd 2:mbgnbd (?:3:bgnbd 4:mbgnbd|3:mbgnbd 4:bgnbd)$/, 1, 'two refits at once are two versions');
is(as_owner(q{SELECT count(*), max(version) FROM clientele.models WHERE in_use}), '1|4', 'the last one is in use');
is(as_owner(q{SELECT s.clv_version = m.version AND s.purchase_kind = m.parameters #>> '{purchase,model}' FROM shop.scoring s, clientele.models m WHERE m.in_use}), 't', 'and is what the columns are computed with');
# At REPEATABLE READ the later one must be repeated.
ask($refitter, q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shop.models});
ask($definer, q{SELECT clientele.use_model('shop', 'clv', 3)});
like(ask($refitter, q{SELECT clientele.use_model('shop', 'clv', 4)}), qr/ERROR:  40001/, 'a snapshot that is older than the model in use: to be retried');
ask($refitter, 'ROLLBACK');
ask($definer, q{SELECT clientele.use_model('shop', 'clv', 4)});

# Cut short: nothing has changed.
my $state = q{SELECT md5(string_agg(m::text, '|' ORDER BY version)), (SELECT md5(s::text) FROM shop.scoring s) FROM clientele.models m};
my $before = as_owner($state);
for my $timeout (1, 5, 20, 50, 100)
{
	my $got = ask($refitter, "SET statement_timeout = '${timeout}ms'; SELECT version FROM clientele.fit_clv('shop', 'pareto_nbd')");
	like($got, qr/ERROR:  57014/, "a fit that is cut short after $timeout ms");
}
ask($refitter, 'RESET statement_timeout');
begin_asking($refitter, q{SELECT version FROM clientele.fit_clv('shop', 'pareto_nbd')});
$node->poll_query_until($db, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $pid");
my $cancelled = time;
$node->safe_psql($db, "SELECT pg_cancel_backend($pid)");
like(ask($refitter, 'SELECT 1'), qr/ERROR:  57014/, 'or cancelled');
cmp_ok(time - $cancelled, '<', 5, 'within moments');
ask($refitter, q{BEGIN; SELECT version FROM clientele.fit_clv('shop', 'bgnbd', holdout_days => 0); ROLLBACK});
is(as_owner($state), $before, 'leaves everything as it was');

# ---- A refresh by another role ----

as_owner(q{GRANT INSERT, UPDATE, DELETE ON shop.profiles, shop.typical_values TO nightly; GRANT INSERT, UPDATE ON shop.segment_membership TO nightly; GRANT INSERT ON shop.segment_events TO nightly; GRANT UPDATE ON shop.event_counter TO nightly; GRANT UPDATE (fresh_to) ON shop.settings TO nightly});
refused($node, $db, q{CALL clientele.refresh('shop')}, '42501', 'permission denied for table scoring', 'a refresh needs to write the scoring', user => 'nightly');
as_owner('GRANT UPDATE ON shop.scoring TO nightly');
is(scalar($node->psql($db, q{CALL clientele.refresh('shop')}, extra_params => [ '-U', 'nightly', '-v', 'ON_ERROR_STOP=1' ])), 0, 'and nothing else for the models');
refused($node, $db, q{SELECT clientele.use_model('shop', 'clv', 1)}, '42501', 'must be owner of store shop', 'but may not choose a model', user => 'nightly');

# Under a policy that hides orders or profiles from the owner nothing is fitted to a part of them.
as_owner('ALTER TABLE shop.profiles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
refused($node, $db, q{SELECT clientele.fit_clv('shop')}, '42501', 'query would be affected by row-level security policy for table "profiles"', 'a fit under a policy fails', user => 'owner');
as_owner('ALTER TABLE shop.profiles NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY');

# ---- Plans ----

# A customer costs a look at one row of scoring, and nothing where no score is asked for.
my $plan = as_owner(q{EXPLAIN (COSTS OFF) SELECT p_alive, clv_1y FROM shop.customers WHERE customer_id = 41});
like($plan, qr/Index Scan using profiles_pkey/, 'one customer: by key') or diag($plan);
unlike(as_owner(q{EXPLAIN (COSTS OFF) SELECT orders, total_spent FROM shop.customers}), qr/scoring/, 'without scores nobody reads the scoring');
$before = as_owner(q{SELECT md5(string_agg(c::text, '|' ORDER BY customer_id)) FROM (SELECT customer_id, p_alive, clv_1y, expected_next_order_at FROM shop.customers) c});
is(as_owner(q{SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SELECT md5(string_agg(c::text, '|' ORDER BY customer_id)) FROM (SELECT customer_id, p_alive, clv_1y, expected_next_order_at FROM shop.customers) c}), $before, 'workers give the same');

# ---- Dump and restore ----

my $dump = $node->basedir . '/models.dump';
my @connection = ('-h', $node->host, '-p', $node->port, '-U', 'owner');
my $contents = q{SELECT to_jsonb(m) FROM clientele.models m UNION ALL SELECT to_jsonb(s) FROM shop.scoring s UNION ALL
	SELECT jsonb_build_object('c', md5(string_agg(c::text, '|' ORDER BY customer_id))) FROM (SELECT customer_id, r_score, p_alive, expected_orders_90d, expected_order_value, clv_1y, expected_next_order_at FROM shop.customers) c};
$node->safe_psql('postgres', 'CREATE DATABASE copy OWNER owner');
$node->command_ok([ 'pg_dump', @connection, '-Fc', '-d', $db, '-f', $dump ], 'pg_dump, as the owner');
$node->command_ok([ 'pg_restore', @connection, '--exit-on-error', '-d', 'copy', $dump ], 'pg_restore');
is($node->safe_psql('copy', $contents, @as_owner), as_owner($contents), 'the same models, the same scores');
is($node->safe_psql('copy', q{SELECT version, in_use FROM clientele.fit_clv('shop', holdout_days => 0); SELECT clientele.use_model('shop', 'clv', 1); SELECT clientele.upgrade_store('shop');
	SELECT clv_version FROM shop.scoring; SELECT clientele.drop_store('shop'); SELECT count(*) FROM clientele.models}, @as_owner), "5|t\n\n\n1\n\n0", 'and it works on');

# ---- A standby ----

$node->backup('models');
my $standby = PostgreSQL::Test::Cluster->new('models_standby');
$standby->init_from_backup($node, 'models', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql($db, $contents, @as_owner), as_owner($contents), 'a standby shows the same');
is($standby->safe_psql($db, q{SELECT count(*) > 0 FROM clientele.clv_report('shop')}, @as_owner), 't', 'and the report');
my ($status, $answer, $error) = $standby->psql($db, q{SELECT clientele.fit_clv('shop')}, extra_params => [ '-U', 'owner', '-v', 'VERBOSITY=verbose' ]);
like($error, qr/ERROR:  25006/, 'where nothing is fitted');
as_owner(q{SELECT clientele.use_model('shop', 'clv', 1)});
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($known{ $standby->safe_psql($db, $query, @as_owner) }, 1, 'a model put in use on the primary is in use there');

is(complaints($node), '', 'the log holds no internal error');
$_->quit for $reader, $refitter, $definer;
done_testing();
