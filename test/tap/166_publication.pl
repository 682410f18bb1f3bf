# A store whose tables are published goes on being replicated while it is altered, detached and attached: a subscriber of its events and of
# other tables of it misses nothing, and membership of publications, grants, comments and policies stay as they were.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('publication', "wal_level = logical\nmax_wal_senders = 4\nmax_replication_slots = 4\nautovacuum = off\nfsync = off\n");
my $db = 'postgres';
my $sql = sub { my ($query) = @_; return $node->safe_psql($db, "SET client_min_messages = warning; $query") };
$sql->('CREATE EXTENSION clientele; CREATE ROLE reader; CREATE ROLE clerk');
create_shop($node, $db, customers => 60);
create_store($node, $db, live => 1);

# What its owner, and others, have put on it; and who subscribes.
$sql->(q{
	CREATE PUBLICATION moves FOR TABLE shop.segment_events, shop.ledger (exposure_id, customer_id, program, state, code), shop.profiles (customer_id), shop.segment_membership WHERE (segmentation = 'main');
	CREATE PUBLICATION all_of_it FOR TABLES IN SCHEMA shop;
	GRANT USAGE ON SCHEMA shop TO reader, clerk; GRANT SELECT ON shop.customers, shop.segments, shop.segment_events, shop.ledger TO reader WITH GRANT OPTION; GRANT SELECT (customer_id, segment) ON shop.customers TO clerk;
	GRANT SELECT ON shop.offer_ledger TO PUBLIC; GRANT EXECUTE ON FUNCTION shop.customers_at(timestamptz) TO reader; REVOKE EXECUTE ON FUNCTION shop.segments_at(timestamptz) FROM PUBLIC;
	COMMENT ON VIEW shop.customers IS 'Everybody'; COMMENT ON COLUMN shop.customers.segment IS 'What for'; COMMENT ON TABLE shop.segment_events IS 'Moves'; COMMENT ON FUNCTION shop.customers_at(timestamptz) IS 'Then';
	ALTER TABLE shop.segment_events ENABLE ROW LEVEL SECURITY; CREATE POLICY own_events ON shop.segment_events FOR SELECT TO reader USING (segmentation = 'main');
	ALTER VIEW shop.segments SET (security_barrier = true)});
$node->safe_psql($db, 'CREATE DATABASE elsewhere');
my %received = (
	segment_events => q{SELECT count(*), md5(string_agg(e::text, ' ' ORDER BY event_id)) FROM (SELECT event_id, customer_id, segmentation, from_segment, to_segment, occurred_at FROM shop.segment_events) e},
	ledger => q{SELECT count(*), md5(string_agg(l::text, ' ' ORDER BY exposure_id)) FROM (SELECT exposure_id, customer_id, program, state, code FROM shop.ledger) l},
	segment_membership => q{SELECT count(*), md5(string_agg(m::text, ' ' ORDER BY m)) FROM shop.segment_membership m WHERE segmentation = 'main'},
	profiles => q{SELECT count(*), md5(string_agg(p.customer_id::text, ' ' ORDER BY customer_id)) FROM shop.profiles p});
$node->safe_psql('elsewhere', q{CREATE SCHEMA shop;
	CREATE TABLE shop.segment_events (event_id bigint PRIMARY KEY, customer_id bigint, segmentation text, from_segment text, to_segment text, occurred_at timestamptz);
	CREATE TABLE shop.ledger (exposure_id bigint PRIMARY KEY, customer_id bigint, program text, state text, code text); CREATE TABLE shop.profiles (customer_id bigint PRIMARY KEY);
	CREATE TABLE shop.segment_membership (customer_id bigint, segmentation text, segment text, valid_from timestamptz, valid_to timestamptz, PRIMARY KEY (customer_id, segmentation, valid_from))});
$sql->(q{SELECT pg_create_logical_replication_slot('copy', 'pgoutput')});
$node->safe_psql('elsewhere', sprintf q{SET client_min_messages = error; CREATE SUBSCRIPTION copy CONNECTION 'host=%s port=%s dbname=%s' PUBLICATION moves WITH (create_slot = false, slot_name = copy)}, $node->host, $node->port, $db);

my $put_on = q{SELECT string_agg(what, E'\n' ORDER BY what) FROM (
	SELECT concat_ws(' ', 'published', p.pubname, r.prrelid::regclass, r.prattrs::text, pg_get_expr(r.prqual, r.prrelid)) FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
	UNION ALL SELECT concat_ws(' ', 'in schema', p.pubname, n.pnnspid::regnamespace) FROM pg_publication_namespace n JOIN pg_publication p ON p.oid = n.pnpubid
	UNION ALL SELECT concat_ws(' ', 'relation', c.relname, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(c.relacl) a), array_to_string(c.reloptions, ','), c.relrowsecurity) FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname !~ '^_'
	UNION ALL SELECT concat_ws(' ', 'column', c.relname, a.attname, a.attacl::text) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'shop'::regnamespace AND a.attacl IS NOT NULL
	UNION ALL SELECT concat_ws(' ', 'function', p.oid::regprocedure, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(p.proacl) a)) FROM pg_proc p WHERE p.pronamespace = 'shop'::regnamespace AND p.proname !~ '^_'
	UNION ALL SELECT concat_ws(' ', 'comment', coalesce(c.relname, f.proname), d.objsubid > 0, d.description) FROM pg_description d LEFT JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
		LEFT JOIN pg_proc f ON d.classoid = 'pg_proc'::regclass AND f.oid = d.objoid WHERE 'shop'::regnamespace IN (c.relnamespace, f.pronamespace)
	UNION ALL SELECT concat_ws(' ', 'policy', p.polname, p.polrelid::regclass, p.polcmd, p.polroles::regrole[]::text, pg_get_expr(p.polqual, p.polrelid)) FROM pg_policy p
	) x (what)};
my $before = $sql->($put_on);
like($before, $_, "there is something to lose: $_") for qr/^published moves shop[.]ledger \d/m, qr/^published moves shop[.]segment_membership .*segmentation = 'main'/m, qr/^in schema all_of_it shop/m,
	qr/^relation customers \{.*reader=r\*/m, qr/^column customers segment .*clerk=r/m, qr/^comment customers t What for/m, qr/^policy own_events /m, qr/^policy customers shop[.]ledger /m, qr/^relation segments .*security_barrier=true/m;

# Something happens in the shop, and the subscriber gets to know; then all of it is the same in both places.
my $order = 500000;
my $follows = sub {
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$order += 100;
	$sql->(qq{INSERT INTO orders SELECT $order + c, c, now(), 150, 'completed' FROM generate_series(1 + $order / 100 % 10, 40, 10) c; INSERT INTO orders VALUES ($order, $order, now(), 10, 'completed');
		INSERT INTO customers VALUES ($order, 'new', 3); CALL clientele.refresh('shop'); SELECT count(*) FROM generate_series(1 + $order / 100 % 10, 40, 10) c, clientele.issue_offer(c, 'shop')});
	$node->wait_for_catchup('copy');
	is($node->safe_psql('elsewhere', $received{$_}), $sql->($received{$_}), "$name: the subscriber has the same $_") for sort keys %received;
};
ok($node->poll_query_until('elsewhere', q{SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel}), 'a subscriber');
my $events = $sql->('SELECT last_event FROM shop.event_counter');
$follows->('before');
cmp_ok($sql->('SELECT last_event FROM shop.event_counter'), '>', $events, 'and there are events');

for my $step (
	[ 'terms', q{SELECT clientele.alter_store('shop', margin => 0.4, keep_events => '200 days')} ],
	[ 'another time zone', q{SELECT clientele.alter_store('shop', time_zone => 'Asia/Tokyo')} ],
	[ 'an attribute more, and none again, for which the views are created anew', q{SELECT clientele.alter_store('shop', attributes => '{children,birth_date,email}'); SELECT clientele.alter_store('shop', attributes => '{children,birth_date}')} ],
	[ 'detached, altered and attached in one transaction', q{BEGIN; SELECT clientele.detach_store('shop'); ALTER TABLE orders ALTER amount TYPE numeric(16,2); SELECT clientele.attach_store('shop'); COMMIT} ],
	[ 'in three', q{SELECT clientele.detach_store('shop'); ALTER TABLE orders ALTER amount TYPE numeric(18,2); SELECT clientele.attach_store('shop')} ],
	[ 'attached to another table', q{CREATE TABLE sales (LIKE orders INCLUDING ALL); INSERT INTO sales SELECT * FROM orders; SELECT clientele.detach_store('shop'); SELECT clientele.attach_store('shop', orders => 'sales'); SELECT clientele.detach_store('shop');
		SELECT clientele.attach_store('shop', orders => 'orders')} ],
	[ 'not live, and live', q{SELECT clientele.alter_store('shop', live => false); SELECT clientele.alter_store('shop', live => true)} ])
{
	my ($name, $do) = @$step;
	$sql->($do);
	is($sql->($put_on), $before, "$name: publications, grants, comments and policies are the same");
	$follows->($name);
}

# While it is detached, too; and what is published cannot be lost unseen.
$sql->(q{SELECT clientele.detach_store('shop')});
is($sql->($put_on), $before, 'detached: they are the same');
$sql->(q{SELECT clientele.add_consumer('shop', 'mail'); SELECT clientele.withdraw_offer(min(exposure_id), 'shop') FROM shop.ledger WHERE state = 'open' AND holdout IS NULL});
$node->wait_for_catchup('copy');
is($node->safe_psql('elsewhere', $received{ledger}), $sql->($received{ledger}), 'detached: an offer that is withdrawn is withdrawn there');
$sql->(q{SELECT clientele.attach_store('shop')});
$follows->('attached');
is($sql->($put_on), $before, 'attached: they are the same');
exact($node, $db, 'shop', 'the store is exact');
$node->safe_psql('elsewhere', 'DROP SUBSCRIPTION copy');
is(complaints($node), '', 'nothing unexpected in the log');
$node->stop;
done_testing();
