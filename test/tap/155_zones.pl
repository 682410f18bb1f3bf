# Time zones whose rules, or names, are others where a dump is restored. A dump's text is edited to say another zone than
# the one that its profiles were counted in: as if the rules of that one had changed.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('zones');
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN CREATEDB');
my @as_owner = (extra_params => [ '-U', 'owner' ]);
sub at { my ($database, $query) = @_; return $node->safe_psql($database, "SET client_min_messages = error; $query", @as_owner); }

# The stores are of Tokyo; customers have orders at every hour, of three years; something is pending in the live one.
$node->safe_psql('postgres', 'CREATE DATABASE original OWNER owner');
at('original', q{
	CREATE EXTENSION clientele;
	CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(8,2));
	INSERT INTO orders SELECT n, n % 200, '2022-01-01 00:30+00'::timestamptz + n * interval '7 hours' - CASE WHEN n % 200 < 50 THEN interval '10 years' ELSE '0' END, n % 90
		FROM generate_series(1, 3000) n;
	CREATE INDEX ON orders (customer_id);
	SELECT clientele.create_store('shop', orders => 'public.orders', time_zone => 'Asia/Tokyo');
	SELECT clientele.create_store('live', orders => 'public.orders', time_zone => 'Asia/Tokyo', live => true);
	SELECT clientele.define_segment(s, 'evening', 'evening_share > 0.2 OR weekend_share > 0.3') FROM unnest('{shop,live}'::name[]) s;
	CALL clientele.refresh('shop'); CALL clientele.refresh('live');
	INSERT INTO orders SELECT 5000 + n, n, now() - n * interval '5 hours', 20 FROM generate_series(1, 20) n;
	INSERT INTO orders VALUES (6000, 900, now() - interval '3 days', 20);
	CALL clientele.refresh('shop');
});
my $dump = slurp_dump();

sub slurp_dump
{
	my $file = $node->basedir . '/dump.sql';
	$node->command_ok([ 'pg_dump', '-U', 'owner', '-f', $file, '-d', $node->connstr('original') ], 'dumped');
	return slurp_file($file);
}

# Restores the dump as if its stores had been in that zone; returns what was said.
sub restore
{
	my ($server, $database, $zone) = @_;
	my $text = $dump;
	$text =~ s/Asia\/Tokyo/$zone/g;
	$server->safe_psql('postgres', "CREATE DATABASE $database OWNER owner");
	my ($status, $answer, $said) = $server->psql($database, $text, extra_params => [ '-U', 'owner', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1' ]);
	is($status, 0, "$database: restored") or diag($said);
	return $said;
}

sub stale { my ($database, $store) = @_; return at($database, "SELECT coalesce(stale, 'none') FROM clientele.stores WHERE store = '$store'"); }

# Customers whom a look-up by key, the view and a recount show otherwise.
sub disagreeing
{
	my ($database, $store) = @_;
	return at($database, qq{SELECT count(*) FROM $store.customers_at(now()) c FULL JOIN $store.customers s USING (customer_id)
		WHERE (c.purchase_days, c.first_order_at, c.evening_share, c.weekend_share, c.segment) IS DISTINCT FROM (s.purchase_days, s.first_order_at, s.evening_share, s.weekend_share, s.segment)
			OR c.segment <> clientele.assign_segment(customer_id, '$store')});
}

subtest 'the rules of the zone are others' => sub {
	my $said = restore($node, 'rules', 'America/New_York');
	my @warnings = $said =~ /WARNING: +order profiles were counted by other rules of time zone "America\/New_York"/g;
	is(scalar(@warnings), 1, 'one warning for all profiles');
	like(stale('rules', 'shop'), qr/other rules of the time zone America\/New_York .*CALL clientele.refresh\('shop'\)/, 'a store that is not live is stale');
	isnt(disagreeing('rules', 'shop'), '0', 'and shows what it has');
	like(at('rules', q{SELECT finding || ' ' || detail FROM clientele.check_store('shop') WHERE finding = 'time_zone'}), qr/other rules/, 'as check_store says');
	is(stale('rules', 'live'), 'none', 'a live one is not');
	is(disagreeing('rules', 'live'), '0', 'and counts whom it concerns anew');
	at('rules', 'INSERT INTO orders SELECT 7000 + n, n, now() - n * interval \'90 minutes\', 30 FROM generate_series(1, 30) n');
	is(disagreeing('rules', 'live'), '0', 'with new orders');
	at('rules', "CALL clientele.refresh('shop'); CALL clientele.refresh('live')");
	for my $store ('shop', 'live')
	{
		is(stale('rules', $store), 'none', "$store: not stale after a refresh");
		is(disagreeing('rules', $store), '0', 'and right');
		is(at('rules', "SELECT count(*) FROM $store._profiles_at(now()) c FULL JOIN $store.profiles p USING (customer_id) WHERE c.profile OPERATOR(clientele.<>) p.profile OR c.customer_id IS NULL OR p.customer_id IS NULL"), '0', 'to the last bit');
	}
	is(at('rules', 'SELECT count(*) FROM live._pending_now'), '0', 'nothing is left to be counted');
};

subtest 'the rules have changed from a year on' => sub {
	at('rules', q{UPDATE live.settings SET zone_digests = zone_digests[:50] || ARRAY(SELECT d + 1 FROM unnest(zone_digests[51:]) WITH ORDINALITY u (d, n) ORDER BY n)});
	is(at('rules', q{SELECT clientele._zone_differs_from(time_zone, zone_digests) = '2019-01-01 00:00+00' FROM live.settings}), 't', 'from 2019 on');
	is(at('rules', q{SELECT count(*) FROM live._pending_now n FULL JOIN (SELECT customer_id FROM live.profiles WHERE clientele.last_order_at(profile) >= '2019-01-01 00:00+00') a USING (customer_id)
		WHERE a.customer_id IS NULL OR n.customer_id IS NULL}), '0', 'exactly those who have ordered since are counted anew');
	isnt(at('rules', 'SELECT count(*) FROM live.profiles WHERE customer_id NOT IN (SELECT customer_id FROM live._pending_now)'), '0', 'and not the others');
	at('rules', 'CALL clientele.refresh(\'live\')');
	is(at('rules', 'SELECT count(*) FROM live._pending_now'), '0', 'until a refresh has done it for good');
};

subtest 'nobody knows the zone' => sub {
	my $said = restore($node, 'gone', 'Mars/Olympus');
	like($said, qr/WARNING: .*"Mars\/Olympus"[^\n]*\n.*does not know/, 'a warning says so');
	for my $store ('shop', 'live')
	{
		like(stale('gone', $store), qr/does not know the time zone Mars\/Olympus: SELECT clientele.set_time_zone\('$store'/, "$store: stale, with the way out");
		my ($status, $answer, $error) = $node->psql('gone', "SELECT recency_days FROM $store.customers", @as_owner);
		like($error, qr/time zone "Mars\/Olympus" not recognized.*set_time_zone/s, 'readers are told');
	}
	my ($status, $answer, $error) = $node->psql('gone', q{INSERT INTO orders VALUES (8000, 5, now(), 20)}, @as_owner);
	is($status, 0, 'an order is accepted');
	my $file = $node->basedir . '/profiles.bin';
	$node->safe_psql('gone', "COPY shop.profiles TO '$file' (FORMAT binary); CREATE TABLE copied (LIKE shop.profiles); COPY copied FROM '$file' (FORMAT binary)");
	is($node->safe_psql('gone', 'SELECT count(*) > 0 AND bool_and(c.profile OPERATOR(clientele.=) p.profile) FROM shop.profiles p LEFT JOIN copied c USING (customer_id)'), 't', 'the profiles go round in binary form');
	refused($node, 'gone', q{SELECT clientele.set_time_zone('shop', 'Mars/Olympus')}, '22023', 'time zone "Mars/Olympus" not recognized', 'nobody moves there', user => 'owner');
	at('gone', "SELECT clientele.set_time_zone('$_', 'Asia/Tokyo')") for 'shop', 'live';
	like(stale('gone', 'shop'), qr/CALL clientele.refresh/, 'a refresh is due');
	is(disagreeing('gone', 'live'), '0', 'the live one counts everybody anew');
	at('gone', "CALL clientele.refresh('$_')") for 'shop', 'live';
	is(stale('gone', $_) . disagreeing('gone', $_), 'none0', "$_: as if nothing had been") for 'shop', 'live';
	is(at('gone', q{SELECT md5(string_agg(profile::text, ' ' ORDER BY customer_id)) FROM shop.profiles WHERE customer_id <> 5}),
		at('original', q{SELECT md5(string_agg(profile::text, ' ' ORDER BY customer_id)) FROM shop.profiles WHERE customer_id <> 5}), 'the same profiles');
};

subtest 'names that have changed' => sub {
	is(at('original', q{SELECT clientele.create_store('pacific', orders => 'public.orders', time_zone => 'us/pacific');
		SELECT time_zone FROM clientele.stores WHERE store = 'pacific'}) =~ s/^\n//r, 'America/Los_Angeles', 'a store keeps the present name');
	# A server whose time zones lack the former names, in a mount namespace of its own.
	my $without = PostgreSQL::Test::Cluster->new('without');
	$without->init;
	my $empty = $without->basedir . '/empty';
	mkdir $empty;
	my $start = "mount --bind '$empty' /usr/share/zoneinfo/US && exec unshare -U --map-user=$> pg_ctl -w -D '" . $without->data_dir . "' -l '" . $without->logfile . "' start";
	plan skip_all => 'no mount namespace to hide time zones in'
		if !-d '/usr/share/zoneinfo/US' || system_log('unshare', '-Urm', 'sh', '-c', $start) != 0;
	$without->_update_pid(1);
	is($without->safe_psql('postgres', q{SELECT count(*) FROM pg_timezone_names WHERE name = 'US/Pacific'}), '0', 'the server does not know US/Pacific');
	$without->safe_psql('postgres', 'CREATE ROLE owner LOGIN CREATEDB');
	restore($without, 'renamed', 'US/Pacific');
	my $ask = q{SET client_min_messages = error; CALL clientele.refresh('shop');
		SELECT clientele.create_store('new', orders => 'public.orders', time_zone => 'America/Los_Angeles'); CALL clientele.refresh('new');
		SELECT count(*) > 0 AND bool_and((s.purchase_days, s.evening_share, s.recency_days) = (n.purchase_days, n.evening_share, n.recency_days)) FROM shop.customers s FULL JOIN new.customers n USING (customer_id)};
	is($without->safe_psql('renamed', $ask, @as_owner) =~ s/^\n//r, 't', 'and counts by the rules of America/Los_Angeles');
	is($without->safe_psql('renamed', q{SELECT coalesce(stale, 'none') FROM clientele.stores WHERE store = 'shop'}, @as_owner), 'none', 'not stale');
	$without->stop;
};

done_testing();
