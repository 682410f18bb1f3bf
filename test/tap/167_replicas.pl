# A logical subscriber that has a live store's tables, but not its orders: it shows what the publisher has stored, says so, and refuses to
# count what it has not; and the recipe of docs/replicas.md, run as it stands there.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $page = slurp_file('docs/replicas.md');
sub block { my ($kind) = @_; my ($block) = $page =~ /^```\Q$kind\E\n(.*?)^```\n/ms; return $block // BAIL_OUT("docs/replicas.md has no block $kind"); }

my $logical = "wal_level = logical\nmax_wal_senders = 8\nmax_replication_slots = 8\nautovacuum = off\nfsync = off\n";
my $publisher = new_server('publisher', $logical);
my $subscriber = new_server('subscriber', $logical);
my $from = 'host=' . $publisher->host . ' port=' . $publisher->port . ' dbname=postgres';
my $at = sub { my ($database, $query) = @_; return $subscriber->safe_psql($database, "SET client_min_messages = warning; $query") };
my $there = sub { my ($query) = @_; return $publisher->safe_psql('postgres', "SET client_min_messages = warning; $query") };

$there->('CREATE EXTENSION clientele');
create_shop($publisher, 'postgres', customers => 70);
create_store($publisher, 'postgres', live => 1);
$there->(q{SELECT clientele.alter_offer('shop', 'stretch', holdout => 0.5); CALL clientele.issue_offers('shop'); UPDATE shop.ledger SET issued_at = issued_at - interval '60 days', valid_until = valid_until - interval '60 days';
	CREATE PUBLICATION careless FOR TABLES IN SCHEMA shop; CREATE PUBLICATION sources FOR TABLE customers; CREATE PUBLICATION all_orders FOR TABLE orders, order_items; ALTER TABLE order_items REPLICA IDENTITY FULL});
$publisher->safe_psql('postgres', block('sql publisher') =~ s/ \\gexec/\n\\gexec/r);

sub copied
{
	my ($database, $publications) = @_;
	$subscriber->safe_psql('postgres', "CREATE DATABASE $database");
	my $file = $subscriber->basedir . "/$database.sql";
	$publisher->command_ok([ 'pg_dump', '--schema-only', '--no-publications', '--file', $file, $publisher->connstr('postgres') ], "$database: the definitions");
	$subscriber->command_ok([ 'psql', '-q', '-X', '-v', 'ON_ERROR_STOP=1', '-f', $file, $subscriber->connstr($database) ], 'are the same there');
	$at->($database, "CREATE SUBSCRIPTION $database CONNECTION '$from' PUBLICATION $publications");
	return;
}
sub in_step
{
	my ($database, $subscription) = @_;
	ok($subscriber->poll_query_until($database, q{SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel}), "$database: the tables are there");
	$publisher->wait_for_catchup($subscription // $database);
	return;
}

# What customers are, but for the time of the question.
my $shown = sub { my ($view) = @_; return qq{SELECT md5(string_agg((to_jsonb(c) - '{as_of,recency_days,tenure_days,age,p_alive,r_score}'::text[])::text, ' ' ORDER BY customer_id)), count(*) FROM shop.$view c} };
my $stored = sub { $there->($shown->('_customers_stored')) };
my $changes = sub { $there->(q{UPDATE orders SET amount = amount + 100 WHERE customer_id IN (3, 4); DELETE FROM orders WHERE customer_id = 5; INSERT INTO orders VALUES (9000 + (random() * 1e6)::int, 6, now(), 70, 'completed');
	SELECT count(*) > 0 FROM shop.pending}) };

# ---- Everything is published, and nobody has told the subscriber what it is ----

copied('careless', 'careless, sources');
in_step('careless');
is($at->('careless', 'SELECT live FROM shop.settings'), 't', 'it takes itself for live');
is($changes->(), 't', 'customers are marked');
in_step('careless');
is($at->('careless', 'SELECT count(*) > 2, (SELECT count(*) FROM orders) FROM shop.pending'), 't|0', 'so they are there, where no orders are');
is($at->('careless', $shown->('customers')), $stored->(), 'it shows what is stored');
is($at->('careless', q{SELECT customer_id, clientele.assign_segment(customer_id), (SELECT program FROM clientele.personalized_offer(customer_id)) FROM shop.profiles ORDER BY 1}),
	$there->(q{SET session_replication_role = replica; BEGIN; TRUNCATE shop.pending; SELECT customer_id, clientele.assign_segment(customer_id), (SELECT program FROM clientele.personalized_offer(customer_id)) FROM shop.profiles ORDER BY 1; ROLLBACK}),
	'so do look-ups');
like($at->('careless', 'SELECT stale FROM clientele.stores'), qr/come from a subscription.*set_live\('shop', false\)/, 'and says so');
like($at->('careless', q{SELECT severity, detail FROM clientele.alerts WHERE alert = 'stale'}), qr/^critical\|its profiles come from a subscription/, 'as an alert, too');
is($at->('careless', 'SELECT finding FROM clientele.check_store($$shop$$)'), 'replica', 'it is no use to compare anything');

sub refuses
{
	my ($database, $query, $message, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $error = refused($subscriber, $database, $query, '55000', $message, $name);
	return like($error, qr/DETAIL: .*HINT: /s, 'and says why, and what to do');
}
my $elsewhere = qr/the orders of store shop are not on this server/;
my $profiles = $at->('careless', 'SELECT md5(string_agg(p::text, $$ $$ ORDER BY customer_id)) FROM shop.profiles p');
refuses('careless', q{CALL clientele.refresh('shop')}, qr/store shop cannot be refreshed here/, 'a refresh is refused');
refuses('careless', q{CALL clientele.refresh('shop', true)}, qr/store shop cannot be refreshed here/, 'a full one');
refuses('careless', q{BEGIN; CALL clientele.refresh('shop')}, qr/store shop cannot be refreshed here/, 'one in a transaction');
refuses('careless', q{SELECT clientele._fold('shop', NULL, 100)}, $elsewhere, 'and what a worker does');
refuses('careless', q{SELECT clientele.set_live('shop', true)}, qr/store shop cannot be live here/, 'it cannot be live');
refuses('careless', q{SELECT * FROM clientele.check_store('shop', repair => true)}, qr/store shop cannot be repaired here/, 'nor be repaired');
refuses('careless', q{SELECT count(*) FROM shop.customers_at(now() - interval '10 days')}, $elsewhere, 'the past is elsewhere');
refuses('careless', q{SELECT clientele.assign_segment(3, as_of => now() - interval '10 days')}, $elsewhere, 'that of one customer, too');
refuses('careless', q{SELECT * FROM clientele.measure_lift('shop', 'stretch')}, $elsewhere, 'so is what a program has changed');
refuses('careless', q{SELECT clientele.report_html('shop')}, $elsewhere, 'and a report');
refuses('careless', q{SELECT * FROM clientele.fit_clv('shop', force => true)}, $elsewhere, 'and a fit, which is held against later orders');
refuses('careless', q{CALL clientele.settle_offers('shop')}, $elsewhere, 'and who has redeemed what');
refuses('careless', q{SELECT * FROM clientele.backtest_offer('shop', 'x', 'grow_order_value', "from" => now() - interval '60 days')}, $elsewhere, 'and what an offer would have cost');
is($at->('careless', q{INSERT INTO orders VALUES (1, 3, now(), 5, 'completed'); SELECT count(*) FROM orders}), '1', 'an order that somebody writes here is accepted');
is($at->('careless', $shown->('customers')), $stored->(), 'and concerns nobody');
is($at->('careless', 'SELECT md5(string_agg(p::text, $$ $$ ORDER BY customer_id)) FROM shop.profiles p'), $profiles, 'no profile was touched');
$there->(q{CALL clientele.refresh('shop')});
in_step('careless');
is($at->('careless', $shown->('customers')), $stored->(), 'what the publisher folds arrives');
$at->('careless', q{SELECT clientele.set_live('shop', false)});
like($at->('careless', 'SELECT live, stale FROM clientele.stores'), qr/^f\|its profiles come from a subscription: it shows those that the publisher has stored$/, 'not live, it says what it is');
is($at->('careless', q{SELECT count(*) FROM clientele.alerts WHERE alert = 'stale'}), '0', 'which needs nobody');

# ---- With the orders ----

copied('whole', 'careless, sources, all_orders');
in_step('whole');
my $past = q{SELECT count(*), sum(orders), sum(total_spent) FROM shop.customers_at(date_trunc('day', now()) - interval '10 days')};
is($at->('whole', $past), $there->($past), 'where the orders arrive, too, the past is known');
my $lift = q{SELECT metric, n_control, n_treated, effect, se FROM clientele.measure_lift('shop', 'stretch', 'orders_per_customer')};
is($at->('whole', $lift), $there->($lift), 'and what a program has changed');
refuses('whole', q{CALL clientele.refresh('shop')}, qr/store shop cannot be refreshed here/, 'but what arrives is not counted');
$at->('whole', 'DROP SUBSCRIPTION whole');
$at->('whole', q{CALL clientele.refresh('shop'); CALL clientele.refresh('shop', true)});
exact($subscriber, 'whole', 'shop', 'without the subscription it is a store of its own');
is($at->('whole', 'SELECT stale FROM clientele.stores'), '', 'of which there is nothing to say');

# ---- The recipe ----

$subscriber->safe_psql('postgres', 'CREATE DATABASE reports');
{
	local $ENV{PUBLISHER} = $from;
	local $ENV{SUBSCRIBER} = $subscriber->connstr('reports');
	my ($out, $err) = ('', '');
	my $bin = $publisher->config_data('--bindir');
	local $ENV{PATH} = "$bin:$ENV{PATH}";
	ok(IPC::Run::run([ 'bash', '-eo', 'pipefail', '-c', block('sh subscriber') ], '<', \'', '>', \$out, '2>', \$err), 'the recipe') or diag($err);
	unlike($err, qr/ERROR/, 'has no errors');
}
in_step('reports', 'shop_replica');
is($changes->(), 't', 'customers are marked');
in_step('reports', 'shop_replica');
is($at->('reports', $shown->('customers')), $stored->(), 'it shows what is stored');
is($at->('reports', q{SELECT count(*) FROM clientele.alerts WHERE severity = 'critical'}), '0', 'nothing needs anybody');
refuses('reports', q{CALL clientele.refresh('shop')}, qr/store shop cannot be refreshed here/, 'it does not count');
$there->(q{SELECT clientele.define_segment('shop', 'often', 'orders > 3', priority => 5), clientele.drop_segment('shop', 'evening'), clientele.define_offer('shop', 'more', 'grow_order_value', stretch => 2, priority => 5); CALL clientele.refresh('shop')});
in_step('reports', 'shop_replica');
$at->('reports', block('sql subscriber'));
in_step('reports', 'shop_replica');
is($at->('reports', $shown->('customers')), $stored->(), 'after rules have changed, too');
my $offers = q{SELECT md5(string_agg((to_jsonb(o) - '{valid_until,last_day}'::text[])::text, ' ' ORDER BY customer_id)), count(*) > 0 FROM shop.offers o};
is($at->('reports', $offers), $there->($offers), 'and the offers are the same');
$changes->();
$there->(q{CALL clientele.refresh('shop')});
in_step('reports', 'shop_replica');
is($at->('reports', $shown->('customers')), $stored->(), 'and it goes on');

$subscriber->safe_psql($_, "DROP SUBSCRIPTION $_") for 'careless';
$subscriber->safe_psql('reports', 'DROP SUBSCRIPTION shop_replica');
$_->stop for $subscriber, $publisher;
done_testing();
