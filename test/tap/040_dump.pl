# Dump and restore by an ordinary owner: the same contents, definitions that still work; profiles through COPY.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('dump');
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN CREATEDB; CREATE ROLE reader LOGIN');
my @as_owner = (extra_params => [ '-U', 'owner' ]);
sub new_database { my ($name) = @_; $node->safe_psql('postgres', "CREATE DATABASE $name OWNER owner"); return $name; }
sub at { my ($database, $query) = @_; return $node->safe_psql($database, $query, @as_owner); }

# Two stores: one with all there is, one over a view and with names that need quotes.
new_database('original');
$node->safe_psql('original', 'CREATE EXTENSION clientele', @as_owner);
create_shop($node, 'original', customers => 300, @as_owner);
create_store($node, 'original', @as_owner);
at('original', q{
	CREATE SCHEMA "Far ""away""";
	CREATE TYPE "Far ""away"""."Mood" AS ENUM ('good', 'bad');
	CREATE TABLE "Far ""away"""."People" ("Key" text PRIMARY KEY, "Mood" "Far ""away"""."Mood", "two words" integer);
	INSERT INTO "Far ""away"""."People" SELECT 'k' || customer_id, CASE WHEN customer_id % 3 = 0 THEN 'good' ELSE 'bad' END::"Far ""away"""."Mood", children FROM customers;
	CREATE VIEW "Far ""away"""."Bills" AS SELECT 'k' || customer_id AS "Key", ordered_at::timestamp AS "at.all", amount AS "select" FROM orders;
	SELECT clientele.create_store('Shop "2"', orders => '"Far ""away"""."Bills"', customer_id => 'Key', ordered_at => 'at.all', amount => 'select',
		customers => '"Far ""away"""."People"', customer_key => 'Key', attributes => '{Mood,two words AS Zwei}', currency => 'EUR', time_zone => 'Europe/Berlin');
	SELECT clientele.define_segment('Shop "2"', 'It''s "quoted" $x$', $$ "Mood" = 'good' AND orders > 2 $$),
		clientele.define_segment('Shop "2"', 'dated', $$ last_order_at > '2020-01-01 00:00+00' AND first_order_at < as_of - interval '20 days' $$);
	SELECT clientele.define_offer('Shop "2"', 'grow''s', 'grow_order_value', holdout => 0.25, valid_for => '1 mon 3 days', starts_at => '2020-01-01', message => 'Spend {min_spend}, "get" {reward}');
	SELECT clientele.define_content('Shop "2"', 'a.b', 'c''d', body => E'line\nline\ttab\\\\');
	CALL clientele.refresh('Shop "2"');
	GRANT USAGE ON SCHEMA shop TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader; GRANT SELECT ON customers TO reader;
});

# A third one, whose order ids have a length, and whose columns were renamed: one offer is redeemed, one open.
at('original', q{
	CREATE TABLE tills (order_id char(12) PRIMARY KEY, customer_id varchar(8), ordered_at timestamptz, amount numeric);
	CREATE TABLE tabs (order_id char(12), category varchar(10), amount numeric);
	CREATE INDEX ON tills (customer_id); CREATE INDEX ON tabs (order_id);
	INSERT INTO tills SELECT 'order-' || i, 'c' || i % 2, now() - interval '1 day' * i, 40 FROM generate_series(1, 6) i;
	INSERT INTO tabs SELECT order_id, 'tea', 40 FROM tills;
	SELECT clientele.create_store('lengths', 'tills', items => 'tabs', live => true);
	SELECT clientele.define_offer('lengths', 'more', 'grow_order_value');
	CALL clientele.refresh('lengths');
	SELECT count(*) FROM clientele.issue_offer('c0', 'lengths'), clientele.issue_offer('c1', 'lengths') o;
	INSERT INTO tills VALUES ('order-10', 'c0', now(), 90);
	CALL clientele.settle_offers('lengths');
	ALTER TABLE tills RENAME amount TO total; ALTER TABLE tills RENAME order_id TO "Id"; ALTER TABLE tabs RENAME order_id TO "Id"; ALTER TABLE tills ADD order_id uuid;
});

# The first one has products, too, whose table has another name since; and what goes with what was learnt.
at('original', q{
	ALTER TABLE order_items ADD product varchar(20);
	UPDATE order_items SET product = category || ' ' || order_id % 5;
	CREATE TABLE products (product_id varchar(20) PRIMARY KEY, name text, price numeric(10, 2), stock integer);
	INSERT INTO products SELECT DISTINCT product, initcap(product), length(product), right(product, 1)::integer FROM order_items;
	SELECT clientele.alter_store('shop', item_product => 'product', products => 'products', product_available => 'stock');
	SELECT clientele.learn_affinity('shop'), clientele.learn_affinity('shop', shrinkage => 0);
	SELECT clientele.use_model('shop', 'affinity', 1);
	ALTER TABLE products RENAME TO goods; ALTER TABLE goods RENAME price TO cost;
});

# What is suggested, for customers known and unknown.
my $suggested = q{SELECT count(*), string_agg(concat_ws(' ', c, s.products, s.names, s.price, s.overshoot, s.reasons), E'\n' ORDER BY c, s.products)
	FROM generate_series(40, 3040, 1000) c CROSS JOIN LATERAL clientele.suggest_fill(c, '{wine 1,baby 2}', 'shop', gap => 5, most => 9) s};

# All contents of both stores, as of whenever it is asked; what depends on the very moment left out.
sub contents_of
{
	my ($database) = @_;
	my @relations = map { my $store = $_; map { "$store.$_" } qw(settings profiles typical_values segmentations segment_rules contents programs
		customers segments campaign offers offer_decisions segment_sizes offer_summary) } 'shop', '"Shop ""2"""';
	push @relations, map { "shop.$_" } qw(models product_neighbours affinities _products);
	return [ split /\n/, at($database, join(' UNION ALL ', map {
		qq{SELECT '$_', count(*), md5(string_agg(v, E'\n' ORDER BY v)) FROM (SELECT (to_jsonb(v) - '{as_of,valid_until}'::text[])::text FROM $_ v) w(v)} } @relations)) ];
}

sub like_the_original
{
	my ($database, $how) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $restored = contents_of($database);
	is_deeply($restored, contents_of('original'), "$how: the same contents");
	unlike(join(' ', @$restored), qr/\|0\|/, 'and some everywhere');
	is(at($database, q{SELECT store, alert FROM clientele.alerts WHERE alert IN ('detached', 'unknown')}), '', 'no store is said to be detached');
	is(at($database, q{SELECT string_agg(DISTINCT o, ',') FROM (SELECT relowner::regrole::text FROM pg_class WHERE relnamespace = 'shop'::regnamespace
		UNION ALL SELECT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'shop'::regnamespace) q(o)}), 'owner', "$how: of the same owner");
	is($node->safe_psql($database, q{SELECT clientele.assign_segment(41, 'shop')}, extra_params => [ '-U', 'reader' ]),
		at('original', q{SELECT clientele.assign_segment(41, 'shop')}), "$how: with the same grants");
	is(at($database, $suggested), at('original', $suggested), "$how: the same is suggested");
	is(at($database, q{SELECT string_agg(concat_ws(' ', customer_id, state, '"' || order_id || '"', order_id = 'order-10'), ', ' ORDER BY customer_id) FROM lengths.ledger; SELECT count(*) FROM clientele.check_store('lengths')}),
		"c0 redeemed \"order-10\" t, c1 open\n0", "$how: order ids are whole, and renamed columns are found");
	is(at($database, q{SET client_min_messages = warning; INSERT INTO tills ("Id", customer_id, ordered_at, total) VALUES ('order-000011', 'c1', now(), 90); UPDATE tills SET total = 1 WHERE "Id" = 'order-10'; CALL clientele.settle_offers('lengths');
		SELECT string_agg(concat_ws(' ', customer_id, state, order_id::text), ', ' ORDER BY customer_id) FROM lengths.ledger; SELECT sum(orders) FROM lengths.customers}),
		"c0 void order-10, c1 redeemed order-000011\n8", "$how: and triggers and settling go on");
	# What the original can do, the copy can.
	my ($status, $answer, $error) = $node->psql($database, q{
		SET client_min_messages = warning;
		INSERT INTO orders VALUES (1000001, 7, now() - interval '1 hour', 77, 'completed');
		CALL clientele.refresh('shop'); CALL clientele.refresh('Shop "2"');
		SELECT orders FROM shop.customers WHERE customer_id = 7;
		SELECT clientele.define_segment('shop', 'evening', 'orders = 1 AND total_spent = 77'), clientele.define_segment('shop', 'new', 'orders > 5'),
			clientele.set_default_segment('shop', 'rest'), clientele.define_content('shop', 'home', 'post N', 'new'), clientele.drop_content('shop', 'home', 'families'),
			clientele.define_offer('shop', 'more', 'win_back'), clientele.drop_offer('shop', 'back'), clientele.upgrade_store('shop'), clientele.upgrade_store('Shop "2"');
		SELECT clientele.use_model('shop', 'affinity', 2);
		SELECT version, products > 0 FROM clientele.learn_affinity('shop');
		SELECT clientele.assign_segment(7, 'shop'), (SELECT segment FROM shop.customers WHERE customer_id = 7), (SELECT segment FROM shop.customers_at(now()) WHERE customer_id = 7);
		SELECT count(*) FROM shop.customers_at(now() - interval '3 days');
		SELECT clientele.drop_segment('Shop "2"', 'dated'), count(*) FROM clientele.explain_segment('k41', 'Shop "2"');
		SELECT clientele.drop_store('Shop "2"');
		SELECT clientele.drop_store('shop');
		SELECT clientele.drop_store('lengths');
		SELECT count(*) FROM clientele.stores;
	}, @as_owner);
	is($answer, "1\n||||||||\n\n3|t\nevening|evening|evening\n300\n|3\n\n\n\n0", "$how: and it works on") or diag($error);
	return;
}

like(at('original', $suggested), qr/^[1-9].*goes with .*bought before/s, 'there is something to suggest');
my $dump = $node->basedir . '/dump';
my @connection = ('-h', $node->host, '-p', $node->port, '-U', 'owner');

$node->command_ok([ 'pg_dump', @connection, '-d', 'original', '-f', "$dump.sql" ], 'pg_dump, as the owner');
my $plain = slurp_file("$dump.sql");
unlike($plain, qr/CREATE (?:FUNCTION|TYPE|AGGREGATE) clientele\./, 'leaves the extension\'s own objects out');
new_database('plain');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', @connection, '-d', 'plain', '-f', "$dump.sql" ], 'and psql restores, without an error');
like_the_original('plain', 'plain');

$node->command_ok([ 'pg_dump', @connection, '-Fc', '-d', 'original', '-f', "$dump.custom" ], 'pg_dump -Fc');
new_database('custom');
$node->command_ok([ 'pg_restore', @connection, '--exit-on-error', '-d', 'custom', "$dump.custom" ], 'and pg_restore');
like_the_original('custom', 'custom');

new_database('parallel');
$node->command_ok([ 'pg_restore', @connection, '--exit-on-error', '-j', '2', '-d', 'parallel', "$dump.custom" ], 'and with two jobs');
like_the_original('parallel', 'parallel');

new_database('sections');
for my $section (qw(pre-data data post-data))
{
	$node->command_ok([ 'pg_dump', @connection, "--section=$section", '-d', 'original', '-f', "$dump.$section" ], "pg_dump --section=$section");
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', @connection, '-d', 'sections', '-f', "$dump.$section" ], 'and psql');
}
like_the_original('sections', 'sections');

# INSERTs read each value by the type's text form, under the dump's settings.
new_database('inserts');
$node->command_ok([ 'pg_dump', @connection, '--inserts', '-d', 'original', '-f', "$dump.inserts" ], 'pg_dump --inserts');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', @connection, '-d', 'inserts', '-f', "$dump.inserts" ], 'and psql');
is_deeply(contents_of('inserts'), contents_of('original'), 'inserts: the same contents');

# ---- Rules over types of extensions, and over what is called otherwise since they were defined ----

new_database('renamed');
$node->safe_psql('renamed', 'CREATE EXTENSION clientele; CREATE SCHEMA types; CREATE EXTENSION citext SCHEMA types; CREATE EXTENSION hstore SCHEMA types', @as_owner);
at('renamed', q{
	CREATE TYPE tier AS ENUM ('bronze', 'gold');
	CREATE TABLE customers (customer_id int PRIMARY KEY, tier tier, email types.citext, other types.citext, facts types.hstore);
	INSERT INTO customers SELECT c, CASE WHEN c % 3 = 0 THEN 'gold' ELSE 'bronze' END::tier, 'Who' || c || '@Example.com', nullif('who' || c % 7, 'who0'), types.hstore('n'::text, c::text)
		FROM generate_series(1, 30) c;
	CREATE TABLE orders (order_id types.citext PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric, status tier);
	CREATE INDEX ON orders (customer_id);
	INSERT INTO orders SELECT 'SO-' || n, n % 30 + 1, '2025-01-01'::timestamptz + n * interval '1 hour', n, CASE WHEN n % 2 = 0 THEN 'gold' ELSE 'bronze' END::tier FROM generate_series(1, 300) n;
	CREATE TABLE lines (order_id types.citext, category text, amount numeric);
	CREATE INDEX ON lines (order_id);
	INSERT INTO lines SELECT lower(order_id::text), 'c' || customer_id % 3, amount FROM orders;
	SELECT clientele.create_store('shop', 'orders', order_filter => $$ status = 'gold' $$, customers => 'customers', attributes => '{tier,email,other,facts}', items => 'lines');
	CALL clientele.refresh('shop');
	SELECT clientele.define_segment('shop', 'golden', $$ tier = 'gold' $$),
		clientele.define_segment('shop', 'listed', $$ email IN ('WHO1@example.com', 'WHO5@example.com') $$),
		clientele.define_segment('shop', 'other', $$ other IS DISTINCT FROM 'WHO1' AND CASE email WHEN 'WHO2@example.com' THEN true ELSE facts -> 'n' = '7' END $$),
		clientele.define_segment('shop', 'row', $$ (other, orders) < ('WHO4', 3) AND nullif(other, 'WHO2') IS NOT NULL $$, segmentation => 'rows');
	SELECT k FROM clientele.learn_segments('shop', 'learned', ARRAY[$$ (tier = 'gold')::int $$, $$ (email < 'WHO2')::int $$], 2);
	SELECT k FROM clientele.learn_segments('shop', 'learned', '{total_spent}', 2);
	ALTER TYPE tier RENAME VALUE 'gold' TO 'or';
	ALTER TYPE tier RENAME TO rank;
	ALTER SCHEMA types RENAME TO kinds;
});
$node->safe_psql('renamed', 'ALTER EXTENSION hstore SET SCHEMA public');
my $assigned = q{SELECT string_agg(concat_ws(':', customer_id, segmentation, segment), ',' ORDER BY customer_id, segmentation) FROM shop.segments};
my $explained = q{SELECT string_agg(concat_ws(':', e.condition, e.value_found, e.outcome), ',') FROM generate_series(1, 30) c CROSS JOIN LATERAL clientele.explain_segment(c) e};
my $expected = at('renamed', $assigned);
like($expected, qr/$_/, "somebody is $_") for qw(golden listed other row);
$node->command_ok([ 'pg_dump', @connection, '-Fc', '-d', 'renamed', '-f', "$dump.renamed" ], 'a dump of a store over types that were renamed and moved');
new_database('restored');
$node->command_ok([ 'pg_restore', @connection, '--exit-on-error', '-d', 'restored', "$dump.renamed" ], 'and a restore');
is(at('restored', $assigned), $expected, 'assigns the same segments');
is(at('restored', $explained), at('renamed', $explained), 'with the same explanations');
like(at('restored', $explained), qr/tier = 'or'/, 'that speak of today\'s names');
is(at('restored', q{SELECT clientele.define_segment('shop', 'last', $$ tier = 'or' AND email = 'WHO3@EXAMPLE.com' $$, segmentation => 'new');
	SELECT clientele.upgrade_store('shop'); CALL clientele.refresh('shop'); SELECT segment FROM shop.segments WHERE segmentation = 'new' AND customer_id = 3}), "\n\nlast", 'and defines others beside them');
is(at('restored', q{SELECT clientele.drop_segment('shop', 'last', 'new');} . $assigned), "\n$expected", 'the others stay what they were');
is(at('restored', q{SELECT clientele.use_model('shop', 'kmeans:learned', 1); SELECT count(DISTINCT segment) FROM shop.segments WHERE segmentation = 'learned'}), "\n2",
	'and a model is there that was learned from what had another name');
is(at('restored', q{SELECT sum(orders) FROM shop.customers}), at('restored', q{SELECT count(*) FROM orders WHERE status = 'or'}), 'the filter is the same');
is(at('restored', q{SELECT count(*) FROM shop.customers WHERE orders > 0 AND category_mix IS NULL}), '0', 'and every order has its lines');

# ---- COPY ----

at('original', 'CREATE TABLE again (LIKE shop.profiles); CREATE INDEX ON again USING hash (profile)');
my $session = session($node, 'original');
for my $format ('text', 'csv', 'binary')
{
	ask($session, "TRUNCATE again; SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Tokyo'; SET extra_float_digits = 0; COPY shop.profiles TO '$dump.copy' (FORMAT $format)");
	is(ask($session, "RESET ALL; COPY again FROM '$dump.copy' (FORMAT $format)"), '', "profiles through COPY, format $format, under other settings");
	same_rows($node, 'original', 'SELECT customer_id, profile, category_mix FROM again', 'SELECT customer_id, profile, category_mix FROM shop.profiles', 'are the same');
	is(ask($session, 'SELECT count(*) FROM again JOIN shop.profiles p USING (customer_id) WHERE clientele.order_profile_send(again.profile) <> clientele.order_profile_send(p.profile)'),
		'0', 'to the last byte');
}
$session->quit;

done_testing();
