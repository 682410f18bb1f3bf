# Merging customers while others are at work: two directions at once, an offer that is being issued, a refresh, settling; who may; and a
# crash in between leaves both as they were.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('merge', "autovacuum = off\n");
my $db = 'postgres';
my $sql = sub { return $node->safe_psql($db, @_) };
$sql->('CREATE EXTENSION clientele');
create_shop($node, $db, customers => 300);
create_store($node, $db, live => 1);
$sql->(q{SET client_min_messages = error; SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', priority => 20, budget => 100000); CALL clientele.record_segments('shop')});
my ($one, $other) = map { session($node, $db) } 1 .. 2;
ask($_, q{SET client_min_messages = error; SET statement_timeout = '60s'}) for $one, $other;
my $pid = ask($other, 'SELECT pg_backend_pid()');
my $rekey = sub { my ($survivor, $duplicate) = @_; return "UPDATE orders SET customer_id = $survivor WHERE customer_id = $duplicate; DELETE FROM customers WHERE customer_id = $duplicate"; };
my $merge = sub { my ($survivor, $duplicate) = @_; return "SELECT clientele.merge_customers($survivor, $duplicate)"; };
my $offers = sub { my (@customers) = @_; return $sql->('SELECT count(*), count(*) FILTER (WHERE state = \'open\') FROM shop.ledger WHERE customer_id IN (' . join(', ', @customers) . ')'); };
my $sound = sub {
	my ($name) = @_;
	exact($node, $db, 'shop', "$name: the profiles are those of the orders");
	is($sql->(q{SELECT count(*) FROM (SELECT customer_id FROM shop.ledger WHERE state = 'open' AND valid_until > now() GROUP BY 1 HAVING count(*) > 1) d}), '0', "$name: nobody has two offers that are open");
	is($sql->(q{SELECT count(*) FROM shop.budget_status s JOIN shop._budgets b USING (program) WHERE s.remaining <> b.remaining}), '0', "$name: budgets are exact");
};

# ---- Both directions at once ----

$sql->(q{SELECT count(*) FROM generate_series(1, 60) c, clientele.issue_offer(c)});
ask($one, 'BEGIN; ' . $rekey->(2, 3) . '; ' . $merge->(2, 3));
begin_asking($other, $merge->(3, 2));
ok(waits_for_lock($node, $db, $pid), 'the second one waits for the first');
is(ask($one, 'COMMIT'), '', 'which is done');
like(ask($other, 'SELECT 1'), qr/P0002: store shop does not know "3"/, 'then there is nothing left to merge');
is($offers->(3), '0|0', 'the duplicate has no offers any more');
$sound->('both directions');

# Where the customers table still has both, the second takes it all back.
ask($one, 'BEGIN; ' . $merge->(4, 5));
begin_asking($other, $merge->(5, 4));
waits_for_lock($node, $db, $pid);
ask($one, 'COMMIT');
is(ask($other, 'SELECT 1'), "\n1", 'or the other way round');
like($offers->(4), qr/^0\|0$/, 'all is with one of them');
$sound->('and back');

# ---- Offers that are being issued, redeemed, settled ----

ask($one, 'BEGIN; SELECT count(*) FROM clientele.issue_offer(101)');
begin_asking($other, 'BEGIN; ' . $rekey->(101, 102) . '; ' . $merge->(101, 102) . '; COMMIT');
is(ask($one, 'COMMIT'), '', 'somebody issues to the survivor');
unlike(ask($other, 'SELECT 1'), qr/ERROR/, 'who is merged meanwhile');
is($sql->('SELECT count(*) = max(period) FROM shop.ledger WHERE customer_id = 101'), 't', 'and the numbers are without gaps');
$sound->('issuing');
ask($one, 'BEGIN; ' . $rekey->(11, 12) . '; ' . $merge->(11, 12));
begin_asking($other, q{SELECT count(code) <= 1 FROM clientele.issue_offer(11)});
is(ask($one, 'COMMIT'), '', 'somebody issues to who is being merged');
like(ask($other, 'SELECT 1'), qr/^t\n1$/, 'and gets what there is then');
is($offers->(11) =~ /\|1$/ ? 1 : 0, 1, 'which is one offer');
$sound->('issued meanwhile');

# ---- Everything at once ----

$sql->(q{CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'done';
	EXCEPTION WHEN no_data_found OR invalid_parameter_value OR object_in_use OR unique_violation OR object_not_in_prerequisite_state THEN RETURN SQLSTATE; END $$});
my @scripts;
my %mix = (
	merge => [ 4, q{SELECT attempt(format('UPDATE orders SET customer_id = %1$s WHERE customer_id = %2$s; DELETE FROM customers WHERE customer_id = %2$s AND %1$s <> %2$s; SELECT clientele.merge_customers(%1$s, %2$s)', :c, :d))} ],
	issue => [ 8, q{SELECT count(*) FROM clientele.issue_offer(:c)} ],
	order => [ 6, q{INSERT INTO orders SELECT 1000000 + nextval('ids'), :c, now(), 80, 'completed'} ],
	settle => [ 1, q{CALL clientele.settle_offers('shop', chunk => 40)} ], record => [ 1, q{CALL clientele.record_segments('shop')} ],
	refresh => [ 1, q{CALL clientele.refresh('shop')} ], forget => [ 1, q{SELECT attempt(format('SELECT clientele.forget_customer(%s)', :d))} ]);
$sql->('CREATE SEQUENCE ids');
for my $name (sort keys %mix)
{
	my $file = $node->basedir . "/$name.sql";
	append_to_file($file, "\\set c random(1, 150)\n\\set d random(1, 150)\n$mix{$name}[1];\n");
	push @scripts, '-f', "$file\@$mix{$name}[0]";
}
{
	local $ENV{PGOPTIONS} = '-c client_min_messages=error';
	$node->command_like([ 'pgbench', '-n', '-c', 6, '-j', 2, '-T', 8, @scripts, $db ], qr/number of failed transactions: 0 /, 'everything at once');
}
$sql->(q{SET client_min_messages = error; CALL clientele.settle_offers('shop'); CALL clientele.refresh('shop')});
$sound->('everything at once');
is($sql->(q{SELECT count(*) FROM (SELECT customer_id, count(*) AS n, max(period) AS last FROM shop.ledger GROUP BY 1) p WHERE n <> last}), '0', 'and everybody\'s exposures are numbered without gaps');

# ---- Who may, and a crash ----

$sql->(q{CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA shop TO clerk; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO clerk; GRANT SELECT ON customers, orders, order_items TO clerk});
refused($node, $db, $merge->(201, 202), '42501', 'permission denied', 'who may only read does not merge', user => 'clerk');
$sql->(q{GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO clerk; ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON customers TO clerk USING (customer_id % 2 = 0)});
refused($node, $db, $merge->(201, 202), '42501', 'row-level security', 'nor who sees some of the customers', user => 'clerk');
$sql->(q{DROP POLICY mine ON customers; ALTER TABLE customers DISABLE ROW LEVEL SECURITY});
my $state = q{SELECT md5(string_agg(l::text, ' ' ORDER BY exposure_id)), (SELECT md5(string_agg(m::text, ' ' ORDER BY m)) FROM shop.segment_membership m) FROM shop.ledger l};
my $before = $sql->($state);
ask($one, 'BEGIN; ' . $rekey->(201, 202) . '; ' . $merge->(201, 202));
kill_everything($node);
$node->start;
is($sql->($state), $before, 'a crash leaves both as they were');
$sound->('a crash');
is(complaints($node), '', 'nothing unexpected in the log: no deadlock, no internal error');
$node->stop;
done_testing();
