# Orders on other servers, as partitions of postgres_fdw: each server sums up its own customers, profiles travel packed, and the toolkit, and a
# store over the partitions, give to the last bit what they give where all orders are in one place.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $page = slurp_file('docs/replicas.md');
sub block { my ($kind) = @_; my ($block) = $page =~ /^```\Q$kind\E\n(.*?)^```\n/ms; return $block // BAIL_OUT("docs/replicas.md has no block $kind"); }

my $shards = new_server('shards', "fsync = off\n");
my $coordinator = new_server('coordinator', "fsync = off\nenable_partitionwise_aggregate = on\n");
if ($coordinator->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'}) eq '0')
{
	$_->stop for $coordinator, $shards;
	plan skip_all => 'postgres_fdw is not installed';
}
my $sql = sub { my ($query) = @_; return $coordinator->safe_psql('postgres', "SET client_min_messages = warning; $query") };

for my $shard ('one', 'two')
{
	$shards->safe_psql('postgres', "CREATE DATABASE $shard");
	$shards->safe_psql($shard, q{CREATE EXTENSION clientele; CREATE TABLE orders (order_id bigint NOT NULL, customer_id bigint NOT NULL, ordered_at timestamptz NOT NULL, amount numeric(10,2), status text); CREATE INDEX ON orders (customer_id)});
}
$sql->('CREATE EXTENSION clientele; CREATE EXTENSION postgres_fdw');
$sql->(block('sql coordinator') =~ s/host 'db(\d)', dbname 'shop'/sprintf "host '%s', port '%s', dbname '%s'", $shards->host, $shards->port, $1 == 1 ? 'one' : 'two'/ger);
$sql->(q{INSERT INTO orders SELECT c * 100 + n, c, timestamptz '2025-06-01 12:00+00' - make_interval(days => (c * 13 % 200 + n * 17)::int, hours => (c * n % 24)::int), round((20 + (c * 37 + n * 11) % 60 + n / 7.0)::numeric, 2) * CASE WHEN (c * n) % 23 = 0 THEN -1 ELSE 1 END,
		CASE WHEN (c + n) % 17 = 0 THEN 'cancelled' ELSE 'completed' END FROM generate_series(1, 400) c, generate_series(1, 1 + c % 12) n;
	CREATE TABLE all_orders AS SELECT * FROM orders; CREATE INDEX ON all_orders (customer_id); ANALYZE orders, all_orders});
$shards->safe_psql($_, 'ANALYZE orders') for 'one', 'two';
is($shards->safe_psql($_, 'SELECT count(DISTINCT customer_id) > 100 FROM orders'), 't', "orders are on $_") for 'one', 'two';

# ---- What is sent ----

my $remote = sub { my ($query) = @_; return join("\n", $sql->("EXPLAIN (VERBOSE, COSTS OFF) $query") =~ /Remote SQL: (.*)/g) };
my $packed = block('sql packed') =~ s/;\s*$//r;
my $sent = $remote->($packed);
is(scalar(() = $sent =~ /clientele\.order_profile\(ordered_at, amount\)\)?::bytea.* GROUP BY 1/g), 2, 'each server sums up its own customers, and packs them') or diag($sent);
unlike($sent, qr/SELECT [^(]*amount/, 'and sends no orders');
my ($line) = $page =~ /^(Remote SQL: .*)$/m;
like("Remote SQL: $sent", qr/^\Q$line\E$/m, 'as the page has it');
like($sql->("EXPLAIN (COSTS OFF) $packed"), qr/Async Foreign Scan.*Async Foreign Scan/s, 'at the same time');
$sent = $remote->(q{SELECT customer_id FROM orders GROUP BY customer_id HAVING clientele.total_spent(clientele.order_profile(ordered_at, amount)) > 300});
is(scalar(() = $sent =~ /HAVING \(+clientele\.total_spent\(clientele\.order_profile\(ordered_at, amount\)\) > /g), 2, 'so are figures that are asked for') or diag($sent);
my ($text, $hex, $bytes) = split /\|/, $sql->(q{SELECT round(avg(length(p::text))), round(avg(length((p::bytea)::text))), round(avg(length(p::bytea))) FROM (SELECT clientele.order_profile(ordered_at, amount) AS p FROM all_orders GROUP BY customer_id) v});
note("a profile as text: $text bytes; packed, in hex: $hex; as it is stored: $bytes");
cmp_ok($hex * 2, '<', $text, 'packed profiles are less than half as long, in hex even');

# ---- What comes of it ----

my $far_and_near = sub { my ($query) = @_; return ($query, $query =~ s/\borders\b(?=\s+(?:o|WHERE|GROUP|\)|$))/all_orders/gr) };
sub same { my ($query, $name) = @_; my ($far, $near) = $far_and_near->($query); isnt($near, $far, 'another query'); return same_rows($coordinator, 'postgres', $far, $near, $name); }
same(q{SELECT customer_id, clientele.order_profile_send(clientele.order_profile(ordered_at, amount, 'Europe/Berlin')) AS p FROM orders GROUP BY customer_id}, 'profiles');
same($packed =~ s/^SELECT customer_id, (\S+)/SELECT customer_id, clientele.order_profile_send($1)/r, 'packed ones');
$shards->safe_psql($_, block('sql shard')) for 'one', 'two';
$sql->(block('sql view'));
same_rows($coordinator, 'postgres', q{SELECT customer_id, clientele.order_profile_send(packed::clientele.order_profile) FROM packed_profiles}, q{SELECT customer_id, clientele.order_profile_send(clientele.order_profile(ordered_at, amount, 'Europe/Berlin')) FROM all_orders GROUP BY customer_id}, 'those of a time zone, by views');
is($remote->('SELECT customer_id, packed::clientele.order_profile FROM packed_profiles'), join("\n", ('SELECT customer_id, (packed)::clientele.order_profile FROM public.packed_profiles') x 2) =~ s/\(packed\)::clientele\.order_profile/packed/gr, 'of which bytes are fetched');
same(q{SELECT customer_id, clientele.orders(p), clientele.aov(p), clientele.typical_order_value(p), clientele.order_value_cv(p) FROM (SELECT customer_id, clientele.order_profile(ordered_at, amount) AS p FROM orders GROUP BY customer_id) v}, 'figures');
same(q{SELECT clientele.order_profile_send(clientele.rollup(p)) FROM (SELECT clientele.order_profile(ordered_at, amount) AS p FROM orders GROUP BY customer_id) v}, 'the union of all');
same(q{SELECT clientele.fit_bgnbd(clientele.repeat_purchases(p), clientele.last_purchase_age(p), clientele.age(p, '2025-06-02'))::text FROM (SELECT clientele.order_profile(ordered_at, amount) AS p FROM orders WHERE amount > 0 GROUP BY customer_id) v}, 'a purchase model');
same(q{SELECT clientele.lift(clientele.total_spent(p)::float8, clientele.bucket('x', customer_id::text) < 0.5, clientele.orders(p)::float8)::text FROM (SELECT customer_id, clientele.order_profile(ordered_at, amount) AS p FROM orders GROUP BY customer_id) v}, 'a lift');

for my $store ([ 'far', 'orders' ], [ 'near', 'all_orders' ])
{
	my ($name, $orders) = @$store;
	$sql->(qq{SELECT clientele.create_store('$name', orders => '$orders', order_filter => \$\$status = 'completed'\$\$, time_zone => 'Europe/Berlin'); CALL clientele.refresh('$name');
		SELECT clientele.define_segment('$name', 'loyal', 'orders > 5'), clientele.define_segment('$name', 'big', 'total_spent > 300'), clientele.add_rfm_segments('$name'), clientele.define_offer('$name', 'more', 'grow_order_value', max_cv => 2); CALL clientele.refresh('$name')});
}
# The refresh of a store asks each server for the profiles of its customers, in any time zone; what it cannot be asked for is fetched, and said.
my $notices = sub { my ($query) = @_; my ($status, $out, $err) = $coordinator->psql('postgres', $query); is($status, 0, $query) or diag($err); return $err };
is($sql->(q{SELECT count(*) FROM clientele._servers_of('orders') s WHERE s = '{db1,db2}'}), '1', 'where orders are is known');
unlike($notices->(q{CALL clientele.refresh('far')}), qr/fetched/, 'a refresh fetches no orders');
my $plan = $sql->('SET enable_partitionwise_aggregate = on; SET cpu_tuple_cost = 1000; EXPLAIN (VERBOSE, COSTS OFF) ' . $sql->(q{SELECT query FROM clientele._count_query('far')}));
is(scalar(() = $plan =~ /Remote SQL: SELECT customer_id, \(?clientele\._order_profile_in\(ordered_at, amount.*status = 'completed'.* GROUP BY 1/g), 2, 'but asks each server for packed profiles of the orders that count') or diag($plan);
like($plan, qr/Async Foreign Scan.*Async Foreign Scan/s, 'at the same time');
like($notices->(q{SET enable_partitionwise_aggregate = off; CALL clientele.refresh('far')}), qr/\A\z/, 'whatever the session has set');
is($sql->('SELECT clientele.order_profile_send(clientele.rollup(profile)) FROM far.profiles'), $sql->('SELECT clientele.order_profile_send(clientele.rollup(profile)) FROM near.profiles'), 'they are the same');
$sql->(q{SELECT clientele.create_store('fetched', orders => 'orders', order_filter => $$ lower(status) COLLATE "C" = 'completed' $$, time_zone => 'Europe/Berlin')});
like($notices->(q{CALL clientele.refresh('fetched')}), qr/NOTICE:  the orders of store fetched are fetched from other servers.*DETAIL:  .*db1, db2/s, 'orders that have to be fetched are spoken of');
same_rows($coordinator, 'postgres', 'SELECT customer_id, clientele.order_profile_send(profile) FROM fetched.profiles', 'SELECT customer_id, clientele.order_profile_send(profile) FROM near.profiles', 'and count the same');
$sql->(q{SELECT clientele.drop_store('fetched')});

for my $what (q{to_jsonb(c) - 'as_of' FROM far.customers c}, 's::text FROM far.segments s', q{to_jsonb(o) - '{valid_until,last_day}'::text[] FROM far.offers o}, 't::text FROM far.typical_values t', 's::text FROM far.segment_sizes s',
	q{to_jsonb(c) - 'as_of' FROM far.customers_at('2025-03-01') c}, q{clientele.assign_segment(n, 'far') FROM generate_series(1, 50) n}, q{clientele.assign_segment(n, 'far', as_of => '2025-02-01') FROM generate_series(1, 50) n})
{
	same_rows($coordinator, 'postgres', "SELECT $what", "SELECT $what" =~ s/\bfar\b/near/gr, "a store over them: $what");
}
refused($coordinator, 'postgres', q{SELECT clientele.set_live('far', true)}, '42809', qr/the store cannot be live: public\.orders_1 is a foreign table/, 'it cannot be live');

# Stores on the servers decide by the terms of the one over all of them, and as it does.
my $scale = slurp_file('docs/scale.md');
my ($create) = $scale =~ /^```sql stores\n(.*?)^```\n/ms;
$sql->(q{ALTER SCHEMA far RENAME TO former; SELECT clientele.create_store('shop', orders => 'orders', order_filter => $$ status = 'completed' $$, time_zone => 'Europe/Berlin'); CALL clientele.refresh('shop');
	SELECT clientele.apply_definitions('shop', clientele.export_definitions('former')), clientele.alter_offer('shop', 'more', holdout => 0.3, budget => 5000); CALL clientele.refresh('shop');
	ALTER SCHEMA former RENAME TO far; SELECT clientele._add_model('shop', 'clv', '{"purchase": {"model": "bgnbd", "r": 0.31234567890123, "alpha": 40, "a": 0.8, "b": 2.5}, "value": {"p": 6.25, "q": 4, "v": 15}, "annual_discount": 0.1}', '2025-01-01', '2025-06-01', 400, '{}')});
my $terms = $sql->(q{SELECT clientele.export_terms('shop')});
my $ids = 1;
for my $shard ('one', 'two')
{
	$shards->safe_psql($shard, $create =~ s/exposure_ids_from => 1/exposure_ids_from => $ids/r);
	$ids += 1e12;
	$shards->safe_psql($shard, "SET client_min_messages = warning; SELECT clientele.apply_terms('shop', \$terms\$$terms\$terms\$, budget_share => 0.5); CALL clientele.refresh('shop')");
	is($shards->safe_psql($shard, q{SELECT clientele.export_terms('shop') #- '{definitions,programs,0,budget}'}), $sql->(q{SELECT clientele.export_terms('shop') #- '{definitions,programs,0,budget}'}), "$shard has the same terms");
}
for my $what (q{customer_id, to_jsonb(c) - '{as_of}'::text[] FROM shop.customers c}, 'customer_id, segmentation, segment FROM shop.segments', q{customer_id, to_jsonb(o) - '{valid_until,last_day}'::text[] FROM shop.offers o}, q{customer_id, program, status, reasons FROM shop.offer_decisions})
{
	my $union = join("\n", sort map { split /\n/, $shards->safe_psql($_, "SELECT $what") } 'one', 'two');
	is($union, join("\n", sort split /\n/, $sql->("SELECT $what")), "stores on the servers, and one over all: $what");
	cmp_ok(length($union), '>', 1000, 'of which there are some');
}
$shards->safe_psql($_, q{SET client_min_messages = warning; CALL clientele.issue_offers('shop')}) for 'one', 'two';
is($shards->safe_psql('one', 'SELECT count(*) > 20, min(exposure_id) >= 1, max(exposure_id) < 1e12 FROM shop.ledger'), 't|t|t', 'exposures have ids');
is($shards->safe_psql('two', 'SELECT count(*) > 20, min(exposure_id) > 1e12 FROM shop.ledger'), 't|t', 'of their own');
$sql->(q{CALL clientele.issue_offers('shop'); CREATE SCHEMA one; CREATE SCHEMA two; IMPORT FOREIGN SCHEMA shop LIMIT TO (customers, exposures) FROM SERVER db1 INTO one; IMPORT FOREIGN SCHEMA shop LIMIT TO (customers, exposures) FROM SERVER db2 INTO two;
	CREATE VIEW all_customers AS SELECT customer_id, total_spent, orders FROM one.customers UNION ALL SELECT customer_id, total_spent, orders FROM two.customers; CREATE VIEW all_exposures AS SELECT customer_id, holdout, variant FROM one.exposures UNION ALL SELECT customer_id, holdout, variant FROM two.exposures});
my @lifts = map { "SELECT clientele.lift(c.total_spent::float8, e.holdout IS NULL, c.orders::float8)::text FROM $_->[0] e JOIN $_->[1] c USING (customer_id)" } [ 'all_exposures', 'all_customers' ], [ 'shop.exposures', 'shop.customers' ];
same_rows($coordinator, 'postgres', @lifts, 'a lift over all of them is that of one store');
my @promised = map { $shards->safe_psql($_, q{SELECT reserved + spent FROM shop.budget_status WHERE program = 'more'}) } 'one', 'two';
my @budgets = split /,/, $sql->(qq{SELECT array_to_string(clientele.budget_shares(5000, '{$promised[0],$promised[1]}'), ',')});
is($budgets[0] + $budgets[1], 5000, 'a budget is shared out');
$shards->safe_psql($_->[0], qq{SELECT clientele.alter_offer('shop', 'more', budget => $_->[1])}) for [ 'one', $budgets[0] ], [ 'two', $budgets[1] ];
is($shards->safe_psql('one', q{SELECT remaining FROM shop.budget_status WHERE program = 'more'}), $shards->safe_psql('two', q{SELECT remaining FROM shop.budget_status WHERE program = 'more'}), 'and as much of it is left in each');

# A server that is down.
my $profiles = $sql->('SELECT md5(string_agg(p::text, $$ $$ ORDER BY customer_id)) FROM far.profiles p');
$shards->stop;
refused($coordinator, 'postgres', q{CALL clientele.refresh('far')}, '08001', qr/could not connect to server "db[12]"/, 'a server that is down is named');
is($sql->('SELECT md5(string_agg(p::text, $$ $$ ORDER BY customer_id)) FROM far.profiles p'), $profiles, 'and nothing was changed');
is($sql->('SELECT count(*) > 100 FROM far.customers'), 't', 'what is stored can be read');
$coordinator->stop;
done_testing();
