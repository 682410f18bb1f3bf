# Stores that are changed while they are in use: tills go on, whatever ends halfway leaves the store as it was, and a detached
# store is dumped and restored as any other.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_server('alter', "deadlock_timeout = '100ms'\nautovacuum = off\nfsync = off\n");
$node->safe_psql('postgres', 'CREATE EXTENSION clientele; CREATE ROLE owner LOGIN; CREATE ROLE heir LOGIN; CREATE ROLE till LOGIN; CREATE ROLE picker LOGIN; GRANT CREATE ON DATABASE postgres TO owner, heir; GRANT CREATE ON SCHEMA public TO owner');
create_shop($node, 'postgres', customers => 60);
sub sql { my ($query) = @_; return $node->safe_psql('postgres', "SET client_min_messages = warning; $query"); }
sub answer
{
	my ($role, $query) = @_;
	my ($status, $answer, $error) = $node->psql('postgres', "SET client_min_messages = warning; $query", extra_params => [ '-U', $role, '-v', 'VERBOSITY=terse' ]);
	return $error eq '' ? $answer : $error;
}
sql(q{GRANT SELECT, TRIGGER ON customers, orders, order_items TO owner; GRANT SELECT, INSERT, UPDATE ON orders TO till; CREATE SEQUENCE next_order START 100000; GRANT USAGE ON SEQUENCE next_order TO till});
create_store($node, 'postgres', live => 1, extra_params => [ '-U', 'owner' ]);
answer('owner', q{GRANT USAGE ON SCHEMA shop TO till, picker; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO till});
sql('GRANT SELECT ON customers TO till');

# ---- Tills: an order, then a look-up, or the other way round, in a transaction ----

my @scripts;
my %tills = (
	'order, then offer' => q{BEGIN; INSERT INTO orders VALUES (nextval('next_order'), :c, now(), 30, 'completed'); SELECT count(*) FROM clientele.personalized_offer(:c, 'shop'); COMMIT;},
	'offer, then order' => q{BEGIN; SELECT count(*) FROM clientele.personalized_offer(:c, 'shop'); INSERT INTO orders VALUES (nextval('next_order'), :c, now(), 30, 'completed'); COMMIT;},
	'a basket, then its order' => q{BEGIN; SELECT count(*) FROM clientele.offer_progress(:c, 47.60, 'shop'); INSERT INTO orders VALUES (nextval('next_order'), :c, now(), 30, 'completed');
		SELECT count(*) FROM clientele.offer_progress(:c, 20, 'shop', unissued => true); COMMIT;} =~ s/\n\s*/ /gr,
	'a correction' => q{BEGIN; UPDATE orders SET amount = amount + 1 WHERE customer_id = :c; SELECT count(*) FROM clientele.personalized_offer(:c, 'shop'); COMMIT;});
for my $name (sort keys %tills)
{
	my $file = $node->basedir . "/$name.sql";
	append_to_file($file, "\\set c random(1, 60)\n$tills{$name}\n");
	push @scripts, '-f', $file;
}
sub begin_tills
{
	my ($seconds) = @_;
	local $ENV{PGOPTIONS} = '-c client_min_messages=error';
	my $out = '';
	my $tills = IPC::Run::start([ 'pgbench', '-n', '-U', 'till', '-h', $node->host, '-p', $node->port, '-c', 4, '-j', 2, '-T', $seconds, @scripts, 'postgres' ], '>', \$out, '2>', \$out);
	return sub { $tills->signal('INT') if $_[0]; IPC::Run::finish($tills); return $out; };
}
# The tills went on: no order failed. (What they say ends with how many transactions failed.)
sub went_on
{
	my ($said, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($said, qr/number of failed transactions: 0 /, "$name: no order fails");
	unlike($said, qr/ERROR|aborted/, "$name: nor does anything that a till asks");
	return;
}

my $end = begin_tills(25);
my $changer = session($node, 'postgres');
ask($changer, 'SET client_min_messages = warning');
my @refused;
my $rounds = 0;
for my $round (1 .. 50)
{
	my $said = ask($changer, qq{BEGIN; SELECT clientele.detach_store('shop'); ALTER TABLE orders ALTER amount TYPE numeric(@{[ 12 + $round % 2 * 2 ]},2); SELECT clientele.attach_store('shop'); COMMIT});
	push @refused, $said if $said =~ /ERROR/;
	for my $step (q{SELECT clientele.detach_store('shop')}, qq{ALTER TABLE orders ALTER amount TYPE numeric(@{[ 13 + $round % 2 * 2 ]},2)}, q{SELECT clientele.attach_store('shop')})
	{
		$said = ask($changer, $step);
		push @refused, $said if $said =~ /ERROR/;
	}
	$rounds += 2;
}
my $said = $end->();
is(join('', @refused), '', "$rounds times detached, altered and attached, in one transaction and in three");
went_on($said, 'tills');
exact($node, 'postgres', 'shop', 'the store is exact');
is(answer('owner', q{CALL clientele.refresh('shop'); SELECT count(*) FROM clientele.check_store('shop')}), '0', 'and after a refresh');

# With a refresh, with issuing, with other changes and with definitions at the same time: each is done or says why not.
$end = begin_tills(15);
my %others = (
	refresh => q{CALL clientele.refresh('shop')}, issue => q{CALL clientele.issue_offers('shop', chunk => 5)}, settle => q{CALL clientele.settle_offers('shop')},
	define => q{SELECT clientele.define_segment('shop', 'more', 'orders > 5', 30)});
my %sessions = map { $_ => session($node, 'postgres', user => 'owner') } keys %others;
ask($_, 'SET client_min_messages = error') for values %sessions;
my @unexpected;
for my $round (1 .. 12)
{
	begin_asking($sessions{$_}, $others{$_}) for sort keys %others;
	for my $step (q{SELECT clientele.detach_store('shop')}, q{SELECT clientele.attach_store('shop')}, q{SELECT clientele.alter_store('shop', attributes => '{children,birth_date}', margin => 0.3)},
		qq{SELECT clientele.alter_store('shop', time_zone => '@{[ $round % 2 ? 'Europe/Berlin' : 'America/New_York' ]}')})
	{
		my $said = ask($changer, $step);
		push @unexpected, $said if $said =~ /ERROR/;
	}
	for my $name (sort keys %others)
	{
		my $said = ask($sessions{$name}, '');
		push @unexpected, "$name: $said" if $said =~ /ERROR/ && $said !~ /ERROR:  55000: store shop is detached/;
	}
}
$said = $end->();
is(join('', @unexpected), '', 'beside refreshing, issuing, settling and defining');
went_on($said, 'meanwhile');
is(answer('owner', q{CALL clientele.refresh('shop'); SELECT count(*) FROM clientele.check_store('shop')}), '0', 'the store is exact');
is(complaints($node), '', 'no deadlock, no internal error');

# ---- Whatever ends halfway ----

my $state = q{SELECT md5(string_agg(d, '|' ORDER BY d)) FROM (SELECT pg_get_viewdef(oid) || coalesce(relacl::text, '') FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'v'
	UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'shop'::regnamespace UNION ALL SELECT to_jsonb(s)::text FROM shop.settings s
	UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid IN ('orders'::regclass, 'order_items'::regclass)) x (d)};
my $alter = q{SELECT clientele.alter_store('shop', attributes => '{children,birth_date,email}', discount => 'fee', time_zone => 'Asia/Tokyo')};
sql('ALTER TABLE orders ADD fee numeric');
my $before = sql($state);
for my $try (1 .. 20)
{
	my $session = session($node, 'postgres');
	begin_asking($session, $alter);
	usleep(1_000 * ($try * 17 % 300));
	kill_everything($node);
	eval { $session->quit };
	$node->start;
	my $after = sql($state);
	if ($after ne $before) { is(sql(q{SELECT time_zone FROM shop.settings}), 'Asia/Tokyo', "kill -9 no. $try came after the end"); sql(q{SELECT clientele.alter_store('shop', attributes => '{children,birth_date}', reset => '{discount}', time_zone => 'America/New_York')}); $before = sql($state); next; }
	is($after, $before, "kill -9 no. $try leaves the store as it was");
}
exact($node, 'postgres', 'shop', 'the store is exact');
my $cancelled = 0;
for my $timeout (5, 15, 40, 80, 120)
{
	my ($status, $answer, $error) = $node->psql('postgres', "SET client_min_messages = warning; SET statement_timeout = $timeout; $alter");
	next if $error eq '';
	++$cancelled;
	is(sql($state), $before, "cancelled after $timeout ms: as it was");
}
cmp_ok($cancelled, '>', 0, 'it was cancelled');
{
	my $holder = session($node, 'postgres');
	ask($holder, 'BEGIN; INSERT INTO orders VALUES (1, 1, now(), 1, $$x$$) ON CONFLICT DO NOTHING');
	refused($node, 'postgres', qq{SET lock_timeout = '200ms'; $alter}, '55P03', 'canceling statement due to lock timeout', 'who waits for an order can give up');
	ask($holder, 'ROLLBACK');
	$holder->quit;
}

# ---- Roles ----

my ($status, $answer, $error) = $node->psql('postgres', 'SELECT clientele.assign_segment(3)', extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($error, qr/42P08: no store was named, and all belong to others.*You may use: shop/s, 'a superuser who names no store is not led to that of an ordinary role, whose functions would run');
is(sql(q{SELECT clientele.assign_segment(3, 'shop')}), answer('owner', 'SELECT clientele.assign_segment(3)'), 'but may name it; its owner need not');
like(answer('till', $_), qr/must be owner of store shop/, "a till may not: $_") for q{SELECT clientele.detach_store('shop')}, q{SELECT clientele.attach_store('shop')}, q{SELECT clientele.alter_store('shop', margin => 0.2)};
sql(q{CREATE POLICY few ON customers FOR SELECT TO picker USING (customer_id < 10); CREATE POLICY most ON customers FOR SELECT TO owner, till USING (true); ALTER TABLE customers ENABLE ROW LEVEL SECURITY; GRANT SELECT ON customers TO picker;
	GRANT SELECT ON shop.ledger, shop.offer_ledger, shop.profiles, shop.reversals TO picker; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA shop TO picker});
sql(q{SELECT count(*) FROM generate_series(1, 60) c, clientele.issue_offer(c, 'shop')});
like(answer('picker', 'SELECT count(DISTINCT customer_id) FROM shop.ledger'), qr/^[1-9]$/, 'whom a policy restricts sees the exposures of some');
is(answer('owner', q{SELECT clientele.detach_store('shop')}), '', 'the owner, who does not own the tables, detaches the store');
is(answer('picker', 'SELECT count(*) FROM shop.ledger'), '0', 'nobody knows whom it restricts now, so it sees none');
like(answer('owner', 'SELECT count(*) FROM shop.ledger'), qr/^\d\d/, 'while the owner does');
is(answer('owner', q{SELECT clientele.attach_store('shop')}), '', 'and attaches it');
like(answer('picker', 'SELECT count(DISTINCT customer_id) FROM shop.ledger'), qr/^[1-9]$/, 'who sees the same as before');
my $same = q{SELECT string_agg(DISTINCT o::regrole::text, ',') FROM (SELECT nspowner FROM pg_namespace WHERE nspname = 'shop' UNION ALL SELECT relowner FROM pg_class WHERE relnamespace = 'shop'::regnamespace
	UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'shop'::regnamespace) q (o)};
is(sql(q{SELECT clientele.alter_store('shop', attributes => '{children,birth_date,email}')} . "; $same"), "\nowner", 'a superuser changes it: all of it stays the owner\'s');
is(sql('SELECT current_user'), 'postgres', 'and is who they were');
like(answer('owner', q{SELECT clientele.alter_store('shop', owner => 'heir')}), qr/must be (?:able to SET ROLE|(?:a )?member of role) "heir"/, 'nobody gives it to a stranger');
like((refused($node, 'postgres', q{SELECT clientele.alter_store('shop', owner => 'heir')}, '55000', 'store shop cannot be altered', 'who may not read the tables cannot have it'))[0], qr/permission denied for table .*orders/, 'which is said');
sql('GRANT SELECT, TRIGGER ON customers, orders, order_items TO heir; ALTER TABLE customers DISABLE ROW LEVEL SECURITY');
is(sql(q{SELECT clientele.alter_store('shop', owner => 'heir')} . "; $same"), "\nheir", 'with the rights it changes hands');
is(answer('heir', q{SELECT clientele.detach_store('shop'); SELECT clientele.attach_store('shop'); CALL clientele.refresh('shop'); SELECT live, stale FROM clientele.stores; SELECT count(*) FROM clientele.check_store('shop')}), "\n\nt|\n0", 'who goes on with it');
is(answer('till', q{INSERT INTO orders VALUES (nextval('next_order'), 3, now(), 40, 'completed')}), '', 'and tills with their orders');
exact($node, 'postgres', 'shop', 'the store is exact');
sql('GRANT heir TO owner; REASSIGN OWNED BY heir TO owner');
is(answer('owner', q{SELECT clientele.alter_store('shop', margin => 0.25); SELECT clientele.detach_store('shop'); SELECT clientele.attach_store('shop'); SELECT owner, margin FROM clientele.stores}), "\n\n\nowner|0.25", 'REASSIGN OWNED works, too');

# ---- Dump and restore ----

sql(q{SELECT clientele.detach_store('shop')});
my $ledger = q{SELECT count(*), md5(string_agg(to_jsonb(l)::text, '|' ORDER BY exposure_id)) FROM shop.ledger l};
$node->command_ok([ 'pg_dump', '-f', $node->basedir . '/dump.sql', 'postgres' ], 'a detached store is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'copy', '-f', $node->basedir . '/dump.sql' ], 'and restored');
is($node->safe_psql('copy', $ledger), sql($ledger), 'with its ledger');
is($node->safe_psql('copy', 'SELECT store, detached, orders FROM clientele.stores'), 'shop|t|', 'and detached');
for my $database ('copy', 'postgres')
{
	is($node->safe_psql($database, q{SET client_min_messages = error; ALTER TABLE orders ALTER amount TYPE numeric(18,2); SELECT clientele.attach_store('shop'); CALL clientele.refresh('shop');
		SELECT count(*) FROM clientele.check_store('shop'); SELECT live, stale FROM clientele.stores}), "\n0\nt|", "$database: and attached");
	exact($node, $database, 'shop', 'exactly');
}
is(complaints($node), '', 'nothing unexpected in the log');
done_testing();
