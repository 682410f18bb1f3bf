# Operating a live store: dump and restore by an ordinary owner, a standby and its promotion, publications, partitions that
# come and go, what triggers do not see, and the end of the store, which leaves the orders as they were.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('operations', "wal_level = logical\nmax_prepared_transactions = 5\nlog_min_error_statement = panic\n", allows_streaming => 1);
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN CREATEDB; CREATE ROLE till LOGIN');
my @as_owner = (extra_params => [ '-U', 'owner' ]);
sub new_database { my ($name) = @_; $node->safe_psql('postgres', "CREATE DATABASE $name OWNER owner"); return $name; }
sub at { my ($database, $sql) = @_; return $node->safe_psql($database, $sql, @as_owner); }

# What somebody gets: the answer, or what is said instead.
sub answer
{
	my ($database, $sql, $user) = @_;
	my ($status, $answer, $told) = $node->psql($database, $sql, extra_params => [ '-U', $user // 'owner', '-v', 'VERBOSITY=verbose' ]);
	return $told eq '' ? $answer : $told;
}

# A shop with customers, orders, lines and two live stores, one of them over partitioned orders.
my $partitioned = q{
	CREATE TABLE sales (sale_id bigint NOT NULL, customer_id uuid, ordered_at timestamptz NOT NULL, amount numeric, note text) PARTITION BY RANGE (ordered_at);
	CREATE TABLE sales_2024 PARTITION OF sales FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
	CREATE TABLE sales_rest PARTITION OF sales DEFAULT PARTITION BY HASH (sale_id);
	CREATE TABLE sales_rest_0 PARTITION OF sales_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE sales_rest_1 PARTITION OF sales_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE INDEX ON sales (customer_id);
	INSERT INTO sales SELECT s, md5((s % 50)::text)::uuid, timestamptz '2023-06-01' + s * interval '1 day', s % 90 FROM generate_series(1, 600) s;};
my $sales_store = q{SET client_min_messages = warning; SELECT clientele.create_store('sales_shop', orders => 'sales', order_id => 'sale_id', time_zone => 'Europe/Berlin', live => true); CALL clientele.refresh('sales_shop');};

new_database('original');
at('original', 'CREATE EXTENSION clientele');
create_shop($node, 'original', customers => 200, @as_owner);
create_store($node, 'original', live => 1, @as_owner);
at('original', "$partitioned $sales_store");
at('original', q{ANALYZE orders, order_items, sales; GRANT SELECT, INSERT, UPDATE, DELETE ON orders, order_items, sales, sales_2024 TO till});
$node->safe_psql('postgres', q{ALTER DATABASE original SET clientele.store = 'shop'});

# Changes of every kind, so that there is something pending.
my $next = 1_000_000;
sub changes
{
	my ($n, $sale) = ($next += 10, $next);
	return qq{INSERT INTO orders VALUES ($n, 7, now() - interval '1 hour', 40, 'completed'), ($n + 1, 14, now() - interval '2 hours', 30, 'completed'); INSERT INTO order_items VALUES ($n, 'baby', 20), ($n, 'wine', 20);
		UPDATE orders SET amount = amount + 1 WHERE order_id = $n + 1; UPDATE orders SET status = 'cancelled' WHERE order_id = $n % 100; UPDATE order_items SET amount = amount + 1 WHERE order_id = $n % 90;
		INSERT INTO sales VALUES ($n, md5('7')::uuid, now() - interval '1 hour', 5), ($n + 1, md5('8')::uuid, '2024-05-05', 5); UPDATE sales SET ordered_at = '2024-06-06' WHERE sale_id = $n; UPDATE sales_2024 SET amount = 6 WHERE sale_id = $n + 1;};
}
at('original', changes());

# The store in a database is live and exact, and stays so.
sub is_live
{
	my ($on, $database, $how) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	for my $store ('shop', 'sales_shop')
	{
		is($on->safe_psql($database, "SELECT live, stale IS NULL FROM clientele.stores WHERE store = '$store'", @as_owner), 't|t', "$how: $store is live, and not stale");
		is($on->safe_psql($database, differences($store), @as_owner), '0', 'and exact');
	}
	my ($status, $answer, $told) = $on->psql($database, changes(), extra_params => [ '-U', 'till' ]);
	is($told, '', "$how: orders are placed");
	is($on->safe_psql($database, differences($_), @as_owner), '0', "and noted by $_") for 'shop', 'sales_shop';
	is($on->safe_psql($database, q{SELECT (SELECT count(*) FROM shop.failures) + (SELECT count(*) FROM sales_shop.failures)}, @as_owner), '0', 'nothing fails');
	($status, $answer, $told) = $on->psql($database, q{CALL clientele.refresh('shop'); CALL clientele.refresh('sales_shop'); CALL clientele.refresh('shop', true); CALL clientele.refresh('sales_shop', true); CALL clientele.refresh('shop')}, @as_owner);
	is($told, '', "$how: refreshes");
	is($on->safe_psql($database, differences($_), @as_owner), '0', "after which $_ is exact") for 'shop', 'sales_shop';
	is($on->safe_psql($database, q{SELECT (SELECT count(*) FROM shop.pending) + (SELECT count(*) FROM sales_shop.pending)}, @as_owner), '0', 'and nothing is pending');
	return;
}

# ---- Dump and restore ----

my $dump = $node->basedir . '/dump';
my @connection = ('-h', $node->host, '-p', $node->port, '-U', 'owner');
my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', @connection);

$node->command_ok([ 'pg_dump', @connection, '-d', 'original', '-f', "$dump.sql" ], 'pg_dump, as the owner');
$node->command_ok([ 'pg_dump', @connection, '-Fc', '-d', 'original', '-f', "$dump.custom" ], 'pg_dump -Fc');
for my $section (qw(pre-data data post-data))
{
	$node->command_ok([ 'pg_dump', @connection, "--section=$section", '-d', 'original', '-f', "$dump.$section" ], "pg_dump --section=$section");
}

new_database('plain');
$node->command_ok([ @psql, '-d', 'plain', '-f', "$dump.sql" ], 'psql restores');
is_live($node, 'plain', 'plain');

new_database('custom');
$node->command_ok([ 'pg_restore', @connection, '--exit-on-error', '-d', 'custom', "$dump.custom" ], 'pg_restore');
is_live($node, 'custom', 'custom');

new_database('parallel');
$node->command_ok([ 'pg_restore', @connection, '--exit-on-error', '-j', '2', '-d', 'parallel', "$dump.custom" ], 'pg_restore with two jobs');
is_live($node, 'parallel', 'parallel');

new_database('sections');
$node->command_ok([ @psql, '-d', 'sections', '-f', "$dump.$_" ], "psql restores $_") for qw(pre-data data post-data);
is_live($node, 'sections', 'sections of pg_dump');

new_database('restored');
$node->command_ok([ 'pg_restore', @connection, '--exit-on-error', "--section=$_", '-d', 'restored', "$dump.custom" ], "pg_restore --section=$_") for qw(pre-data data post-data);
is_live($node, 'restored', 'sections of pg_restore');
my $objects = q{SELECT pg_identify_object(classid, objid, objsubid) FROM (
	SELECT 'pg_class'::regclass AS classid, oid AS objid, 0 AS objsubid, relnamespace AS schema FROM pg_class UNION ALL SELECT 'pg_proc'::regclass, oid, 0, pronamespace FROM pg_proc UNION ALL
	SELECT 'pg_trigger'::regclass, t.oid, 0, relnamespace FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal) o WHERE schema::regnamespace::text IN ('shop', 'sales_shop', 'public') ORDER BY pg_describe_object(classid, objid, objsubid)};
is(at('restored', $objects), at('original', $objects), 'and the same objects');

# Only the data, into a database that has the objects already: the triggers saw the orders, and the profiles came, too.
new_database('data_only');
$node->command_ok([ 'pg_dump', @connection, '--data-only', '-d', 'original', '-f', "$dump.data-only" ], 'pg_dump --data-only');
$node->command_ok([ @psql, '-d', 'data_only', '-f', "$dump.$_" ], "psql restores $_") for qw(pre-data post-data data-only);
at('data_only', qq{CALL clientele.refresh('$_', true)}) for 'shop', 'sales_shop';
is_live($node, 'data_only', 'data after the triggers, and refreshed');

# ---- A standby ----

$node->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('standby')});
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "primary_slot_name = 'standby'\nmax_standby_streaming_delay = -1\n");
$standby->start;
at('original', changes());
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));

my @readings = (
	'SELECT clientele.assign_segment(7), clientele.assign_segment(14), clientele.segments_of(7), clientele.content_for(7, $$home$$)', 'SELECT program, min_spend, reward, message FROM clientele.personalized_offer(7)',
	'SELECT c.customer_id, clientele.assign_segment(c.customer_id), o.program, o.min_spend FROM customers c LEFT JOIN LATERAL clientele.personalized_offer(c.customer_id) o ON true ORDER BY 1',
	'SELECT segment, priority, outcome, assigned FROM clientele.explain_segment(7)', 'SELECT program, status, reasons FROM clientele.explain_offer(7)',
	q{SELECT to_jsonb(c) - 'as_of' FROM shop.customers c ORDER BY customer_id}, 'TABLE shop.segments ORDER BY 1, 2', q{SELECT to_jsonb(c) - '{valid_until}'::text[] FROM shop.campaign c ORDER BY customer_id},
	q{SELECT to_jsonb(o) - '{valid_until}'::text[] FROM shop.offers o ORDER BY customer_id}, q{SELECT to_jsonb(o) - '{valid_until}'::text[] FROM shop.offer_decisions o ORDER BY customer_id, program}, 'TABLE shop.segment_sizes', 'TABLE shop.offer_summary',
	q{SELECT to_jsonb(c) - 'as_of' FROM shop.customers_at('2999-01-01') c ORDER BY customer_id}, q{SELECT clientele.assign_segment(7, as_of => now() - interval '30 days'), (SELECT count(*) FROM shop.customers_at(now() - interval '30 days'))},
	q{SELECT customer_id, orders, total_spent FROM sales_shop.customers ORDER BY 1}, q{SELECT clientele.assign_segment(md5('7')::uuid, 'sales_shop')}, 'SELECT store, live, stale FROM clientele.stores ORDER BY 1', 'SELECT count(*) FROM clientele.refresh_progress',
	q{SELECT finding, customer, detail FROM clientele.check_store('shop')}, 'TABLE shop.segment_membership', differences('shop'), differences('sales_shop'));
for my $query (@readings)
{
	my ($status, $answer, $told) = $standby->psql('original', $query, @as_owner);
	is($told, '', "a standby answers: $query");
	is($answer, at('original', $query), 'as the primary does');
}
my ($status, $answer, $told) = $standby->psql('original', q{CALL clientele.refresh('shop')}, extra_params => [ '-U', 'owner', '-v', 'VERBOSITY=verbose' ]);
like($told, qr/ERROR:  (?:25006|55000|0A000|55P03|25001|55006)/, 'it cannot refresh, and says so');
$standby->promote;
is_live($standby, 'original', 'a promoted standby');
$standby->stop;
$node->safe_psql('postgres', q{SELECT pg_drop_replication_slot('standby')});

# ---- Publications ----

$node->safe_psql('plain', 'CREATE PUBLICATION everything FOR ALL TABLES');
$node->safe_psql('plain', 'ALTER TABLE sales REPLICA IDENTITY FULL; ALTER TABLE sales_2024 REPLICA IDENTITY FULL; ALTER TABLE sales_rest_0 REPLICA IDENTITY FULL; ALTER TABLE sales_rest_1 REPLICA IDENTITY FULL; ALTER TABLE order_items REPLICA IDENTITY FULL');
is_live($node, 'plain', 'all tables are published');
is(answer('plain', q{SELECT clientele.define_segment('shop', 'late', 'orders > 1', 500), clientele.define_offer('shop', 'late', 'win_back'), clientele.set_live('shop', false), clientele.set_live('shop', true), clientele.drop_offer('shop', 'late')}), '||||', 'definitions and switches work, too');
is(answer('plain', q{CALL clientele.record_segments('shop'); SELECT count(*) FROM clientele.check_store('shop', repair => true) WHERE finding NOT IN ('unmatched_refund', 'unknown_customer')}), '0', 'and all else that keeps a store');
$node->safe_psql('plain', 'DROP PUBLICATION everything');

# A table that a subscription fills fires no statement triggers.
new_database('subscriber');
at('subscriber', 'CREATE EXTENSION clientele; CREATE TABLE sales (sale_id bigint PRIMARY KEY, customer_id uuid, ordered_at timestamptz, amount numeric); CREATE INDEX ON sales (customer_id)');
at('subscriber', q{SELECT clientele.create_store('early', orders => 'sales', order_id => 'sale_id', live => true)});
new_database('publisher');
$node->safe_psql('publisher', q{CREATE TABLE sales (sale_id bigint PRIMARY KEY, customer_id uuid, ordered_at timestamptz, amount numeric); INSERT INTO sales VALUES (1, md5('1')::uuid, '2024-01-01', 5); CREATE PUBLICATION p FOR TABLE sales; SELECT pg_create_logical_replication_slot('s', 'pgoutput')});
$node->safe_psql('subscriber', q{CREATE SUBSCRIPTION s CONNECTION $$} . $node->connstr('publisher') . q{$$ PUBLICATION p WITH (create_slot = false, enabled = false)});
like(answer('subscriber', q{SELECT clientele.create_store('shop', orders => 'sales', order_id => 'sale_id', live => true)}), qr/ERROR:  42809: .*subscription/, 'a table that a subscription fills cannot be live');
is(answer('subscriber', q{SET client_min_messages = warning; SELECT clientele.create_store('shop', orders => 'sales', order_id => 'sale_id')}), '', 'but have a store that is refreshed');
like(answer('subscriber', q{SELECT clientele.set_live('shop', true)}), qr/ERROR:  42809: .*subscription/, 'nor become live');
$node->safe_psql('subscriber', 'ALTER SUBSCRIPTION s ENABLE');
$node->poll_query_until('subscriber', 'SELECT count(*) = 1 FROM sales');
like(answer('subscriber', q{SELECT stale FROM clientele.stores WHERE store = 'early'} . '; ' . q{SELECT finding FROM clientele.check_store('early')}), qr/trigger/, 'a live store that is overtaken by a subscription is found out');
$node->safe_psql('subscriber', 'ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s');
$node->safe_psql('publisher', q{SELECT pg_drop_replication_slot('s')});

# ---- What triggers do not see ----

my $findings = q{SELECT string_agg(DISTINCT finding, ',' ORDER BY finding) FROM clientele.check_store('sales_shop')};
my $stale = q{SELECT stale FROM clientele.stores WHERE store = 'sales_shop'};
is(answer('custom', $findings), '', 'a live store is as it should be');
for my $case (
	# [ what happens, as whom, what a check finds, why the store is stale, where it knows ]
	[ q{CREATE TABLE sales_2030 (LIKE sales); INSERT INTO sales_2030 VALUES (1007, md5('7')::uuid, '2020-01-01', 5), (1008, md5('new')::uuid, '2020-01-01', 5); ALTER TABLE sales_2030 ADD CHECK (ordered_at IS NOT NULL AND ordered_at < '2021-01-01');
		ALTER TABLE sales ATTACH PARTITION sales_2030 FOR VALUES FROM ('2019-01-01') TO ('2021-01-01')}, 'owner', 'missing,stale,trigger', qr/sales_2030/ ],
	[ 'ALTER TABLE sales DETACH PARTITION sales_2030', 'owner', 'partition,stale,surplus', qr/sales_2030 was detached or dropped/ ],
	[ 'DROP TABLE sales_2030', 'owner', '', undef ],
	[ q{CREATE TABLE sales_2019 PARTITION OF sales FOR VALUES FROM ('2019-01-01') TO ('2020-01-01'); INSERT INTO sales_2019 VALUES (1009, md5('9')::uuid, '2019-05-05', 7)}, 'owner', 'stale,trigger', qr/sales_2019/ ],
	[ q{ALTER TABLE sales_2024 DISABLE TRIGGER ALL; UPDATE sales_2024 SET amount = amount + 1 WHERE sale_id = 300}, 'postgres', 'stale,trigger', qr/sales_2024/ ],
	[ q{SET session_replication_role = replica; INSERT INTO sales VALUES (1010, md5('newer')::uuid, '2019-05-05', 7); DELETE FROM sales WHERE sale_id = 301}, 'postgres', 'missing,stale', undef ],
	[ q{DROP TABLE sales_2019}, 'owner', 'partition,stale,surplus', qr/sales_2019 was detached or dropped/ ],
	[ q{DELETE FROM sales_shop.profiles WHERE customer_id = md5('7')::uuid; UPDATE sales_shop.profiles SET profile = (SELECT profile FROM sales_shop.profiles WHERE customer_id = md5('8')::uuid) WHERE customer_id = md5('9')::uuid;
		INSERT INTO sales_shop.profiles SELECT md5('none')::uuid, profile FROM sales_shop.profiles LIMIT 1}, 'owner', 'missing,stale,surplus', undef ])
{
	my ($sql, $user, $found, $why) = @$case;
	is(answer('custom', $sql, $user), '', $sql);
	is(answer('custom', $findings), $found, 'is found out');
	if (defined $why) { like(answer('custom', $stale), $why, 'the store says so itself'); }
	like(answer('custom', q{SET client_min_messages = warning; SELECT count(*) FROM clientele.check_store('sales_shop', repair => true)}), qr/^\d+$/, 'and mended');
	is(answer('custom', $findings), '', 'nothing is found any more');
	is($node->safe_psql('custom', differences('sales_shop')), '0', 'the store is exact');
	is(answer('custom', q{CALL clientele.refresh('sales_shop')} . ";$stale;" . differences('sales_shop')), "\n0", 'and after a refresh');
}
is(answer('custom', changes(), 'till'), '', 'orders go on');
is($node->safe_psql('custom', differences('sales_shop')), '0', 'and are noted');

# Maintenance of the store's tables and the orders' while orders are placed.
for my $maintenance ('REINDEX TABLE CONCURRENTLY shop.pending', 'VACUUM FULL shop.pending', 'CLUSTER orders USING orders_pkey', 'VACUUM (FULL, ANALYZE) orders', 'REINDEX TABLE shop.profiles', 'ALTER TABLE orders ADD COLUMN extra integer DEFAULT 5', 'ALTER TABLE orders DROP COLUMN extra',
	'ALTER TABLE sales ADD COLUMN extra integer', 'CREATE INDEX ON orders (status)', 'ALTER TABLE shop.pending SET (fillfactor = 90)')
{
	my $session = $node->background_psql('custom', on_error_stop => 0, extra_params => [ '-U', 'till', '-v', 'VERBOSITY=verbose' ]);
	is(ask($session, changes()), '', 'orders');
	is(answer('custom', $maintenance, 'owner'), '', $maintenance);
	is(ask($session, changes()), '', 'and orders');
	is($node->safe_psql('custom', differences($_)), '0', "$_ is exact") for 'shop', 'sales_shop';
	$session->quit;
}

# ---- Dependencies ----

for my $drop ('TABLE orders', 'TABLE order_items', 'TABLE sales', 'TABLE customers', 'EXTENSION clientele')
{
	like(answer('custom', "DROP $drop", 'postgres'), qr/ERROR:  2BP01: cannot drop.*DETAIL:.*HINT:/s, "DROP $drop is refused, with a hint");
}
like(answer('custom', 'ALTER TABLE orders DROP COLUMN amount', 'postgres'), qr/ERROR:  2BP01: cannot drop.*HINT:/s, 'so is a column');
is_live($node, 'custom', 'after that');

# ---- The end ----

# Who has a store need not own the orders: TRIGGER is enough, also to let go of them.
new_database('gone');
$node->safe_psql('gone', "CREATE EXTENSION clientele; CREATE ROLE keeper LOGIN; GRANT CREATE ON DATABASE gone TO keeper; $partitioned
	CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint NOT NULL, ordered_at timestamptz DEFAULT now(), amount numeric(12,2) CHECK (amount > -100), status text);
	CREATE TABLE more_orders (extra text) INHERITS (orders); CREATE INDEX ON orders (customer_id);
	CREATE TABLE order_items (order_id bigint REFERENCES orders ON DELETE CASCADE, category text, amount numeric); CREATE INDEX ON order_items (order_id);
	CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RETURN NULL; END \$\$;
	CREATE TRIGGER clientele_theirs_insert AFTER INSERT ON orders REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION theirs();
	COMMENT ON TABLE orders IS 'theirs'; ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (true); ALTER TABLE orders ALTER customer_id SET STATISTICS 500; ALTER TABLE orders DISABLE ROW LEVEL SECURITY;
	INSERT INTO orders SELECT o, o % 20, now() - o * interval '1 hour', o FROM generate_series(1, 100) o; INSERT INTO order_items SELECT o, 'c', o FROM generate_series(1, 100) o;
	GRANT SELECT, TRIGGER ON ALL TABLES IN SCHEMA public TO keeper");
@connection = ('-h', $node->host, '-p', $node->port, '-U', 'postgres');
# What pg_dump says of some tables.
sub schema_of
{
	my ($database, @tables) = @_;
	my ($dump) = run_command([ 'pg_dump', @connection, '-s', '-d', $database, map { ('-t', $_) } @tables ]);
	return join "\n", grep { !/^(?:--|\\(?:un)?restrict|SET|SELECT pg_catalog.set_config)|^$/ } split /\n/, $dump;
}
my $everything = sub { return [ split /\n/, schema_of('gone', 'public.*') . $node->safe_psql('gone', q{SELECT string_agg(to_jsonb(t) #>> '{}', '' ORDER BY 1) FROM (SELECT tableoid::regclass || o::text AS t FROM orders o UNION ALL SELECT tableoid::regclass || s::text FROM sales s UNION ALL SELECT i::text FROM order_items i) t;
	SELECT string_agg(concat_ws('|', relname, relkind, relhasrules, relrowsecurity, relacl, reloptions), E'\n' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'sales%';
	SELECT count(*) FROM pg_depend WHERE refobjid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)}) ]; };
my $before = $everything->();
my $create = q{SET client_min_messages = warning; SELECT clientele.create_store('shop', orders => 'orders', items => 'order_items', live => true), clientele.create_store('sales_shop', orders => 'sales', order_id => 'sale_id', live => true)};
is(answer('gone', $create, 'keeper'), '|', 'a store of somebody who does not own the orders');
cmp_ok(@{ $everything->() }, '>', @$before, 'has triggers on them');
$node->safe_psql('gone', q{INSERT INTO orders VALUES (1000, 5, now(), 5); DELETE FROM orders WHERE order_id = 1000; UPDATE sales SET amount = amount});
is($node->safe_psql('gone', differences($_)), '0', "$_ is exact") for 'shop', 'sales_shop';
is(answer('gone', q{SELECT clientele.drop_store('shop'), clientele.drop_store('sales_shop')}, 'keeper'), '|', 'drops them');
is_deeply($everything->(), $before, 'which leaves the orders exactly as they were');
is(answer('gone', $create, 'keeper'), '|', 'once more');
is(answer('gone', q{SELECT clientele.set_live('shop', false), clientele.set_live('sales_shop', false)}, 'keeper'), '|', 'when they are not live any more');
is($node->safe_psql('gone', q{SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'clientele%' AND tgname <> 'clientele_theirs_insert'}), '0', 'there are no triggers');
# Without the right to have triggers, there is still one to be rid of them.
is(answer('gone', q{SELECT clientele.set_live('shop', true), clientele.set_live('sales_shop', true)}, 'keeper'), '|', 'live again');
$node->safe_psql('gone', 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM keeper; ALTER TABLE sales DETACH PARTITION sales_2024');
is(answer('gone', q{SELECT clientele.drop_store('shop'), clientele.drop_store('sales_shop')}, 'keeper'), '|', 'who has lost all rights on the orders can let go of them, also of a partition that was detached');
is($node->safe_psql('gone', q{SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'clientele%' AND tgname <> 'clientele_theirs_insert'}), '0', 'and no trigger is left');
is(answer('gone', q{INSERT INTO orders VALUES (1001, 5, now(), 5); INSERT INTO sales_2024 VALUES (1, md5('1')::uuid, '2024-05-05', 1)}, 'postgres'), '', 'orders go on');

# ---- A foreign partition, which PostgreSQL does not let a statement with transition tables reach ----

new_database('far');
SKIP:
{
	my ($status) = $node->psql('far', 'CREATE EXTENSION postgres_fdw');
	skip 'postgres_fdw is not installed', 7 if $status != 0;
	my ($host, $port) = ($node->host, $node->port);
	$node->safe_psql('far', qq{CREATE EXTENSION clientele; SET client_min_messages = warning;
		CREATE TABLE elsewhere (order_id int, customer_id int, ordered_at timestamptz, amount numeric);
		CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'far'); CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'postgres');
		CREATE TABLE orders (order_id int, customer_id int, ordered_at timestamptz, amount numeric) PARTITION BY RANGE (order_id); CREATE TABLE orders_here PARTITION OF orders FOR VALUES FROM (0) TO (100); CREATE INDEX ON orders (customer_id);
		SELECT clientele.create_store('shop', orders => 'orders', live => true); CALL clientele.refresh('shop');
		CREATE FOREIGN TABLE orders_far PARTITION OF orders FOR VALUES FROM (100) TO (200) SERVER far OPTIONS (table_name 'elsewhere')});
	my $order = 'INSERT INTO orders VALUES (101, 1, now(), 10)';
	like(answer('far', $order, 'postgres'), qr/ERROR:  0A000: cannot collect transition tuples from child foreign tables/, 'an order of a foreign partition that was attached fails');
	is(answer('far', 'INSERT INTO orders VALUES (1, 1, now(), 10)', 'postgres'), '', 'others do not');
	like(answer('far', 'SELECT stale FROM clientele.stores', 'postgres'), qr/orders_far is a foreign table.*detach it, or SELECT clientele\.set_live\('shop', false\)/, 'the store says so, and what to do');
	like(answer('far', q{SELECT finding || ': ' || detail FROM clientele.check_store('shop')}, 'postgres'), qr/^foreign_partition: public\.orders_far is a foreign table[^\n]*$/, 'check_store, too');
	is(answer('far', q{SELECT clientele.set_live('shop', false)}, 'postgres'), '', 'which can be done');
	is(answer('far', "$order; SET client_min_messages = warning; CALL clientele.refresh('shop'); SELECT orders FROM shop.customers", 'postgres'), '2', 'then the order is accepted, and counted by a refresh');
	like(answer('far', q{SELECT clientele.set_live('shop', true)}, 'postgres'), qr/ERROR:  42809: the store cannot be live: public\.orders_far is a foreign table/, 'but not live');
}

# ---- What a transition table needs room for ----

new_database('narrow');
$node->safe_psql('narrow', q{CREATE EXTENSION clientele; SET client_min_messages = warning; CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric); CREATE INDEX ON orders (customer_id); SELECT clientele.create_store('shop', orders => 'orders', live => true)});
my $many = q{SET temp_file_limit = '1MB'; SET work_mem = '64kB'; INSERT INTO orders SELECT n, n, now(), 1 FROM generate_series(1, 50000) n};
like(answer('narrow', $many, 'postgres'), qr/ERROR:  53400: temporary file size exceeds temp_file_limit/, 'a statement of many rows fails under a small temp_file_limit');
is(answer('narrow', "SELECT clientele.set_live('shop', false); $many; RESET temp_file_limit; RESET work_mem; CALL clientele.refresh('shop'); SELECT count(*) FROM shop.profiles", 'postgres') =~ s/^\s+//r, '50000', 'unless the store is not live meanwhile');

# ---- Columns that are generated when they are read ----

SKIP:
{
	skip 'there are none before PostgreSQL 18', 2 if $node->pg_version < 18;
	$node->safe_psql('narrow', q{CREATE TABLE virtual (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, net numeric, amount numeric GENERATED ALWAYS AS (net) VIRTUAL); CREATE INDEX ON virtual (customer_id); SELECT clientele.create_store('virtual', orders => 'virtual')});
	like(answer('narrow', q{SELECT clientele.set_live('virtual', true)}, 'postgres'), qr/ERROR:  0A000: the store cannot be live: column "amount".*HINT:  .*STORED/s, 'no store is live over them');
	is(answer('narrow', q{SET client_min_messages = warning; ALTER TABLE virtual ADD stored numeric GENERATED ALWAYS AS (net) STORED; SELECT clientele.create_store('stored', orders => 'virtual', amount => 'stored', live => true); INSERT INTO virtual VALUES (1, 1, now(), 5); SELECT gross_spent FROM stored.customers}, 'postgres') =~ s/^\s+//r, '5', 'of stored ones it is');
}

is(complaints($node), '', 'the server has nothing to complain of');
is(complaints($standby), '', 'nor has the standby');

done_testing();
