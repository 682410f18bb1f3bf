# Content that is held out: of many who expose a customer at once one writes; reading, exposing and measuring are rights of their own;
# policies hold; dump, restore and a standby.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('content', "max_connections = 60\n", allows_streaming => 1);
my $db = 'postgres';
my $sql = sub { return $node->safe_psql($db, @_) };
$sql->('CREATE EXTENSION clientele; CREATE ROLE reader LOGIN; CREATE ROLE page LOGIN; CREATE ROLE clerk LOGIN');
create_shop($node, $db);
create_store($node, $db, live => 1);
$sql->(q{SELECT clientele.define_content('shop', 'home', 'post A', 'families', holdout => 0.3), clientele.define_content('shop', 'home', 'post C', holdout => 0.3),
	clientele.define_content('shop', 'mail', 'letter', holdout => 0.5)});

# ---- Many at once ----

my $file = "${PostgreSQL::Test::Utils::tmp_check}/expose.sql";
append_to_file($file, "\\set c random(1, 200)\nSELECT clientele.content_for(:c, 'home', expose => true), clientele.content_for(:c, 'mail', expose => true);\n");
$node->command_like([ 'pgbench', '-n', '-c', 32, '-j', 2, '-t', 60, '-M', 'prepared', '-f', $file, $db ],
	qr/number of transactions actually processed: (\d+)\/\1\b.*number of failed transactions: 0 /s, 'nobody fails');
is($sql->(q{SELECT count(*) = count(DISTINCT (customer_id, slot)), count(DISTINCT customer_id) > 190, count(DISTINCT slot) FROM shop.content_exposures}), 't|t|2', 'each customer and slot once');
is($sql->(q{SELECT count(*) FROM shop.content_exposures e WHERE e.held_out <> (clientele.content_for(e.customer_id, e.slot) IS NULL)}), '0', 'in the arm that reading shows');
# The first one counts, also where it is not committed yet.
my ($one, $other) = map { session($node, $db) } 1 .. 2;
my $pid = ask($other, 'SELECT pg_backend_pid()');
for my $end ('COMMIT', 'ROLLBACK')
{
	my $customer = $end eq 'COMMIT' ? 501 : 502;
	my $expose = "SELECT coalesce(clientele.content_for($customer, 'home', expose => true), 'nothing')";
	ask($one, 'BEGIN');
	my $shown = ask($one, $expose);
	is(ask($other, "SELECT coalesce(clientele.content_for($customer, 'home'), 'nothing')"), $shown, 'who only reads waits for nobody');
	begin_asking($other, $expose);
	ok(waits_for_lock($node, $db, $pid), 'who exposes waits');
	ask($one, $end);
	like(ask($other, 'SELECT 1'), qr/^\Q$shown\E/, "$end: both are told the same");
	is($sql->("SELECT count(*) FROM shop.content_exposures WHERE customer_id = $customer"), '1', 'and it is written once');
}
# A customer who becomes another one while the page is shown.
$sql->(q{SELECT clientele.content_for(c, 'home', expose => true) FROM generate_series(601, 604) c});
ask($one, q{BEGIN; SELECT clientele.content_for(605, 'home', expose => true)});
begin_asking($other, q{BEGIN; DELETE FROM customers WHERE customer_id = 604; UPDATE orders SET customer_id = 605 WHERE customer_id = 604; SELECT clientele.merge_customers(605, 604); COMMIT});
ok(waits_for_lock($node, $db, $pid), 'merging waits for who exposes');
ask($one, 'COMMIT');
unlike(ask($other, 'SELECT 1'), qr/ERROR/, 'and is done');
is($sql->(q{SELECT string_agg(customer_id::text, ' ') FROM shop.content_exposures WHERE customer_id IN (604, 605) AND slot = 'home' AND content = (SELECT content FROM shop.content_exposures WHERE customer_id = 605 AND slot = 'home' ORDER BY 1 LIMIT 1)}), '605', 'one exposure is left');
$_->quit for $one, $other;

# ---- Who may ----

my $answer = sub {
	my ($role, $query) = @_;
	my ($status, $answer, $error) = $node->psql($db, $query, extra_params => [ '-U', $role, '-v', 'VERBOSITY=verbose' ]);
	return $status == 0 ? $answer : $error;
};
my $seen = $sql->(q{SELECT clientele.content_for(700, 'home')});
$sql->("GRANT USAGE ON SCHEMA shop TO $_; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO $_; GRANT SELECT ON customers, orders, order_items TO $_") for qw(reader page clerk);
$sql->(q{GRANT INSERT ON shop.content_exposures TO page, clerk});
is($answer->('reader', q{SELECT clientele.content_for(700, 'home')}), $seen, 'who may read sees what is shown');
like($answer->('reader', q{SELECT clientele.content_for(700, 'home', expose => true)}), qr/ERROR:  42501: permission denied for table content_exposures/, 'and writes nothing down');
is($sql->(q{SELECT count(*) FROM shop.content_exposures WHERE customer_id = 700}), '0', 'nothing');
is($answer->('page', q{SELECT clientele.content_for(700, 'home', expose => true)}), $seen, 'who may add to content_exposures writes it down');
is($sql->(q{SELECT count(*) FROM shop.content_exposures WHERE customer_id = 700}), '1', 'once');
like($answer->('page', q{UPDATE shop.content_exposures SET held_out = false}), qr/ERROR:  42501/, 'and changes nothing');
$sql->(q{ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY even ON customers TO clerk USING (customer_id % 2 = 0); CREATE POLICY all_of_them ON customers TO reader, page USING (true)});
is($answer->('clerk', q{SELECT count(*) FILTER (WHERE customer_id % 2 = 1), count(*) > 50 FROM shop.content_exposures}), '0|t', 'a policy on customers hides their exposures');
like($answer->('clerk', q{SELECT clientele.content_for(701, 'home', expose => true)}), qr/ERROR:  42501: new row violates row-level security policy/, 'and none is written for who is hidden');
unlike($answer->('clerk', q{SELECT clientele.content_for(702, 'home', expose => true)}), qr/ERROR/, 'for others it is');
like($answer->('clerk', q{SELECT clientele.measure_lift('shop', NULL, content => 'letter')}), qr/ERROR:  42501/, 'measuring by some of the customers fails');
$sql->(q{ALTER TABLE customers DISABLE ROW LEVEL SECURITY; UPDATE shop.content_exposures SET exposed_at = exposed_at - interval '20 days'});
my $measure = q{SELECT n_control > 50 AND n_treated > 50, n_control, n_treated, effect FROM clientele.measure_lift('shop', NULL, 'revenue_per_customer', content => 'letter')};
is($answer->('reader', $measure), $sql->($measure), 'who may read all of it measures');
like($sql->($measure), qr/^t/, 'both arms');

# ---- Dump, restore and a standby ----

my $rows = q{SELECT count(*), md5(string_agg(e::text, '|' ORDER BY e::text)) FROM shop.content_exposures e};
my $campaign = q{SELECT md5(string_agg(customer_id || content::text, '|' ORDER BY customer_id)) FROM shop.campaign};
$node->command_ok([ 'pg_dump', '-Fc', '-f', $node->basedir . '/dump', '-d', $node->connstr($db) ], 'dump');
$sql->('CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $node->basedir . '/dump' ], 'restore');
is($node->safe_psql('restored', "$rows; $campaign; $measure"), $sql->("$rows; $campaign; $measure"), 'the same exposures, the same arms');
is($node->safe_psql('restored', q{SELECT count(*) FROM pg_policy WHERE polrelid = 'shop.content_exposures'::regclass}), '1', 'and the policy');
is($node->safe_psql('restored', q{SELECT count(clientele.content_for(c, 'mail', expose => true)) > 100 FROM generate_series(1, 300) c; SELECT count(*) = count(DISTINCT (customer_id, slot, content)) FROM shop.content_exposures}), "t\nt", 'it goes on');

$node->backup('content');
my $standby = PostgreSQL::Test::Cluster->new('content_standby');
$standby->init_from_backup($node, 'content', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql($db, "$campaign; $measure; SELECT clientele.content_for(700, 'home')"), $sql->("$campaign; $measure; SELECT clientele.content_for(700, 'home')"), 'a standby shows and measures the same');
my (undef, undef, $error) = $standby->psql($db, q{SELECT clientele.content_for(700, 'home', expose => true)}, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($error, qr/ERROR:  25006: content that is shown cannot be written down in a read-only transaction\nDETAIL:  This server is a standby\./, 'where nothing is written down');
is($sql->(q{SELECT clientele.drop_store('shop', force => true); SELECT count(*) FROM pg_class WHERE relname = 'content_exposures'}), "\n0", 'all of it goes with the store');
is(complaints($node), '', 'the server has nothing to complain of');
done_testing();
