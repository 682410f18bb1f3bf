# Measuring with several sessions and roles: all customers or none, beside issuing and refitting; cancelled within moments.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time);

my $node = new_server('measure');
my $db = 'shop';
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE ROLE analyst LOGIN; CREATE ROLE shopkeeper LOGIN; CREATE DATABASE shop OWNER owner');
my @as_owner = (extra_params => [ '-U', 'owner' ]);
sub as_owner { my ($query) = @_; return $node->safe_psql($db, $query, @as_owner); }
sub as_analyst { my ($query) = @_; return $node->safe_psql($db, $query, extra_params => [ '-U', 'analyst' ]); }

$node->safe_psql($db, 'CREATE EXTENSION clientele', @as_owner);
$node->safe_psql($db, 'GRANT CREATE ON SCHEMA public TO owner, shopkeeper');
# The orders belong to another role, so that a policy on them can restrict the store's owner, too.
$node->safe_psql($db, q{
	CREATE TABLE customers (customer_id bigint PRIMARY KEY, branch int);
	INSERT INTO customers SELECT c, c % 2 FROM generate_series(1, 4000) c;
	CREATE TABLE orders (order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(12, 2));
	INSERT INTO orders (customer_id, ordered_at, amount) SELECT c, now() - n * interval '11 days', 10 + c % 50 FROM generate_series(1, 4000) c, generate_series(1, 10) n;
	GRANT SELECT ON customers, orders TO owner, analyst;
}, extra_params => [ '-U', 'shopkeeper' ]);
as_owner(q{
	SELECT clientele.create_store('shop', 'orders', customers => 'customers');
	SELECT clientele.define_offer('shop', 'p', 'grow_order_value', holdout => 0.2);
	INSERT INTO shop.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward,
		reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until)
	SELECT c, 1, 'p', 1, CASE WHEN h THEN 'program' END, 0, 's', 'typical', 50, 70, 3.5, 'amount_off', 'USD', '', '{typical}', 'default', CASE WHEN h THEN 0.2 ELSE 0.8 END,
		now() - interval '30 days', now() - interval '16 days' FROM (SELECT c, clientele.bucket('h', c::text) < 0.2 AS h FROM generate_series(1, 4000) c) s;
	GRANT USAGE ON SCHEMA shop TO analyst;
	GRANT SELECT ON ALL TABLES IN SCHEMA shop TO analyst;
});

# ---- Roles ----

my $query = q{SELECT md5(r::text), n_control + n_treated FROM clientele.measure_lift('shop', 'p') r};
my $all = as_owner($query);
like($all, qr/\|4000$/, 'the owner measures all customers');
is(as_analyst($query), $all, 'and so does whoever may read the store, its customers and orders');
is(as_analyst(q{SELECT enrolled, alarm FROM shop.experiment_health}), '4000|f', 'experiment_health likewise');
refused($node, $db, q{SELECT clientele.learn_offer('shop', 'p')}, '42501', 'must be owner of store shop', 'learning is the owner\'s', user => 'analyst');
$node->safe_psql($db, 'REVOKE SELECT ON orders FROM analyst');
refused($node, $db, q{SELECT clientele.measure_lift('shop', 'p')}, '42501', 'permission denied for table orders', 'orders are read as the caller', user => 'analyst');
$node->safe_psql($db, 'GRANT SELECT ON orders TO analyst');

# ---- Row-level security: all customers or none ----

for my $table ('orders', 'customers')
{
	$node->safe_psql($db, "ALTER TABLE $table ENABLE ROW LEVEL SECURITY; CREATE POLICY half ON $table USING (customer_id % 2 = 0)");
	for my $user ('analyst', 'owner')
	{
		refused($node, $db, q{SELECT clientele.measure_lift('shop', 'p')}, '42501', "query would be affected by row-level security policy for table \"$table\"", "a policy on $table restricts the $user", user => $user);
	}
	refused($node, $db, q{SELECT clientele.learn_offer('shop', 'p')}, '42501', "query would be affected by row-level security policy for table \"$table\"", "learning under a policy on $table", user => 'owner');
	is($node->safe_psql($db, $query), $all, 'whom it does not restrict measures all');
	$node->safe_psql($db, "DROP POLICY half ON $table; ALTER TABLE $table DISABLE ROW LEVEL SECURITY");
}
as_owner('ALTER TABLE shop.profiles ENABLE ROW LEVEL SECURITY; CREATE POLICY half ON shop.profiles USING (customer_id % 2 = 0)');
refused($node, $db, q{SELECT clientele.measure_lift('shop', 'p')}, '42501', 'query would be affected by row-level security policy for table "profiles"', 'a policy on the profiles', user => 'analyst');
is(as_analyst(q{SELECT count(*) FROM shop.experiment_health}), '0', 'experiment_health shows no part of the customers');
is(as_owner(q{SELECT enrolled FROM shop.experiment_health}), '4000', 'and the owner all of them');
is(as_owner($query), $all, 'does not restrict the owner');
as_owner('DROP POLICY half ON shop.profiles; ALTER TABLE shop.profiles DISABLE ROW LEVEL SECURITY; CREATE POLICY half ON shop.ledger AS RESTRICTIVE USING (customer_id % 2 = 0)');
refused($node, $db, q{SELECT clientele.measure_lift('shop', 'p')}, '42501', 'table shop.ledger has policies of its own', 'a policy that was added to the ledger', user => 'analyst');
as_owner('DROP POLICY half ON shop.ledger');
is(as_analyst($query), $all, 'without policies all as before');

# ---- Beside others ----

my $writer = session($node, $db, user => 'owner');
my $reader = session($node, $db, user => 'analyst');
ask($reader, q{SET lock_timeout = '50ms'});
ask($writer, q{BEGIN; SELECT count(*) FROM clientele.learn_offer('shop', 'p')});
is(ask($reader, $query), $all, 'measuring does not wait for learning');
ask($writer, q{UPDATE shop.ledger SET state = 'expired', closed_at = now()});
is(ask($reader, $query), $all, 'nor for whoever writes to the ledger');
ask($writer, 'ROLLBACK');
# Learning twice at once: one version after the other.
my $other = session($node, $db, user => 'owner');
begin_asking($other, q{SELECT count(*) FROM clientele.learn_offer('shop', 'p')});
ask($writer, q{SELECT count(*) FROM clientele.learn_offer('shop', 'p')});
ask($other, 'SELECT 1');
is(as_owner(q{SELECT count(*), count(*) FILTER (WHERE in_use), max(version) FROM clientele.models}), '2|1|2', 'two that learn at once make two versions, of which one is in use');

# ---- Cut short ----

$node->safe_psql($db, q{INSERT INTO orders (customer_id, ordered_at, amount) SELECT 1 + n % 4000, now() - n % 100 * interval '1 day', 20 FROM generate_series(1, 400000) n});
for my $timeout (1, 20, 60)
{
	like(ask($writer, "SET statement_timeout = '${timeout}ms'; SELECT count(*) FROM clientele.learn_offer('shop', 'p')"), qr/ERROR:  57014/, "cut short after $timeout ms");
}
ask($writer, 'RESET statement_timeout');
my $pid = ask($writer, 'SELECT pg_backend_pid()');
begin_asking($writer, q{SELECT count(*) FROM generate_series(1, 100), clientele.measure_lift('shop', 'p', pre_period => '1 year', horizon => generate_series * interval '1 hour')});
$node->poll_query_until($db, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $pid");
my $cancelled = time;
$node->safe_psql($db, "SELECT pg_cancel_backend($pid)");
like(ask($writer, 'SELECT 1'), qr/ERROR:  57014/, 'or cancelled');
cmp_ok(time - $cancelled, '<', 5, 'within moments');
is(as_owner(q{SELECT count(*) FROM clientele.models}), '2', 'leaves no version behind');

is(complaints($node), '', 'the log holds no internal error');
$_->quit for $writer, $reader, $other;
done_testing();
