# kill -9 of the whole server, again and again, while orders are placed and stores are refreshed, defined and switched:
# no acknowledged order is lost, and the store is exact afterwards, or says that it is stale and is mended by a refresh.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

plan skip_all => 'needs /proc' unless -r '/proc/self/stat';

my $seed = $ENV{CLIENTELE_SEED} // int(time * 1000) % 1_000_000_000;
srand($seed);
note "CLIENTELE_SEED=$seed";

my $node = new_server('crash', "max_prepared_transactions = 10\nlog_min_error_statement = panic\ncheckpoint_timeout = '30s'\n");
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');

# A live store with lines, one that is not live, and customers enough for refreshes of several chunks.
my $many = 11_000;
$node->safe_psql('postgres', qq{
	CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
	CREATE TABLE order_items (order_id bigint, category text, amount numeric);
	INSERT INTO orders SELECT c, c, timestamptz '2024-01-01' + c * interval '1 minute', c % 90 FROM generate_series(1, $many) c;
	INSERT INTO order_items SELECT c, 'c' || c % 3, c % 90 FROM generate_series(1, $many, 5) c;
	CREATE INDEX ON orders (customer_id); CREATE INDEX ON order_items (order_id);
	SELECT clientele.create_store('shop', orders => 'orders', items => 'order_items', live => true);
	SELECT clientele.create_store('batch', orders => 'orders', time_zone => 'Europe/Berlin');
	CALL clientele.refresh('shop'); CALL clientele.refresh('batch'); ANALYZE; CHECKPOINT});

# ---- Who places orders writes down what was acknowledged ----

my $next = 1_000_000;
# psql stops at the first error, so what it has echoed is committed.
sub orders_script
{
	my ($client) = @_;
	my @script = ('SET synchronous_commit = on;');
	for (1 .. 2500)
	{
		my $id = $next++;
		my $customer = 1 + int rand $many + 100;
		my $amount = int rand 100;
		my $insert = "INSERT INTO orders VALUES ($id, $customer, now() - interval '1 hour', $amount);";
		my $kind = rand 100;
		if ($kind < 50) { push @script, $insert, "\\echo $id $customer $amount"; }
		elsif ($kind < 65) { push @script, 'BEGIN;', $insert, "INSERT INTO order_items VALUES ($id, 'baby', $amount);", 'COMMIT;', "\\echo $id $customer $amount"; }
		elsif ($kind < 75) { push @script, $insert, "\\echo $id $customer $amount", "UPDATE orders SET amount = 7, customer_id = $customer + 1 WHERE order_id = $id;", "\\echo $id " . ($customer + 1) . ' 7'; }
		elsif ($kind < 82) { push @script, $insert, "DELETE FROM orders WHERE order_id = $id;", "\\echo $id gone"; }
		elsif ($kind < 88) { push @script, 'BEGIN;', $insert, "UPDATE order_items SET amount = amount + 1 WHERE order_id = 1 + $id % $many;", 'ROLLBACK;', "\\echo $id gone"; }
		elsif ($kind < 90) { push @script, 'BEGIN;', $insert, "PREPARE TRANSACTION 'p$id';", "COMMIT PREPARED 'p$id';", "\\echo $id $customer $amount"; }
		else { push @script, "INSERT INTO orders SELECT $id + 10000000 * n, $customer + n, now() - n * interval '1 hour', $amount FROM generate_series(0, 5) n;", "\\echo $id $customer $amount"; }
	}
	return join("\n", @script, '');
}

my %scripts = (
	'incremental refreshes' => "CALL clientele.refresh('shop');\nCALL clientele.refresh('batch');\n" x 1000,
	'full refreshes' => "UPDATE orders SET amount = amount + 1 WHERE order_id <= $many AND order_id % 10 = 0;\nCALL clientele.refresh('shop', true);\n" x 1000,
	'batch refreshes' => "UPDATE orders SET amount = amount + 1 WHERE order_id <= $many AND order_id % 10 = 1;\nCALL clientele.refresh('batch', true);\n" x 1000,
	'refreshes in one go' => "BEGIN;\nCALL clientele.refresh('shop', true);\nCOMMIT;\n" x 1000,
	'going live and back' => "SELECT clientele.set_live('shop', false);\nSELECT clientele.set_live('shop', true);\nCALL clientele.refresh('shop');\n" x 1000,
	'other stores' => "SELECT clientele.create_store('other', orders => 'orders', live => true);\nCALL clientele.refresh('other');\nSELECT clientele.drop_store('other');\n" x 1000,
	'vacuum' => "VACUUM shop.pending, shop.profiles;\nCALL clientele.refresh('shop');\nCHECKPOINT;\n" x 1000);

my %acknowledged;
my ($placed, $kills, %progress) = (0, 0);

# A load, a kill, a recovery.
sub crash
{
	my ($beside, $wait) = @_;
	my $watcher = session($node, 'postgres');
	my @running;
	for my $client (0 .. 2)
	{
		my $file = $node->basedir . "/client$client.sql";
		unlink $file;
		append_to_file($file, $client < 2 ? orders_script($client) : $scripts{$beside});
		my ($output, $errors) = ('', '');
		push @running, [ IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $file ], '>', \$output, '2>', \$errors, IPC::Run::timeout(60)), \$output, \$errors ];
	}
	usleep(1000 * (50 + rand 300));
	# In the middle of a refresh, where there is one.
	my $until = time + 2;
	my $phase = '';
	while ($wait && $phase !~ $wait && time < $until) { $phase = ask($watcher, 'SELECT phase FROM clientele.refresh_progress LIMIT 1'); }
	usleep(1000 * rand 20);
	kill_everything($node);
	$kills++;
	$progress{ $phase || 'none' }++;
	for (@running)
	{
		my ($run, $output, $errors) = @$_;
		eval { $run->finish };
		for ($$output =~ /^(\d+ .*)\n/gm) { my ($id, $what) = split / /, $_, 2; $acknowledged{$id} = $what; $placed++; }
		unlike($$errors, qr/^(?!.*(?:terminat|connection|server closed|crash|recovery|shutdown|starting up|PID|another server process|roll back)).*(?:ERROR|WARNING|FATAL)/m, "$beside: until then nothing fails");
	}
	eval { $watcher->quit };
	$node->start;
	return;
}

sub recovered
{
	my ($what) = @_;
	# What was prepared stays so: somebody has to decide.
	my @prepared = split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts');
	$node->safe_psql('postgres', join('', map { "COMMIT PREPARED '$_';" } @prepared)) if @prepared;
	my $file = $node->basedir . '/acknowledged';
	unlink $file;
	append_to_file($file, join('', map { my ($customer, $amount) = split / /, $acknowledged{$_}; $customer eq 'gone' ? "$_\t\\N\t\\N\n" : "$_\t$customer\t$amount\n" } sort keys %acknowledged));
	is($node->safe_psql('postgres', qq{CREATE TEMP TABLE acknowledged (order_id bigint, customer_id bigint, amount numeric);
		\\copy acknowledged FROM '$file'
		SELECT count(*) FROM acknowledged a LEFT JOIN orders o USING (order_id) WHERE (a.customer_id IS NOT NULL AND o.order_id IS NULL) OR (a.customer_id IS NULL AND o.order_id IS NOT NULL)
			OR (o.amount <> 7 AND (a.customer_id, a.amount) <> (o.customer_id, o.amount))}), '0', "$what: no acknowledged order is lost");
	%acknowledged = ();
	my $stale = $node->safe_psql('postgres', q{SELECT stale FROM clientele.stores WHERE store = 'shop' AND live});
	if ($stale eq '') { exact($node, 'postgres', 'shop', 'the store is exact') if $node->safe_psql('postgres', q{SELECT live FROM clientele.stores WHERE store = 'shop'}) eq 't'; }
	else
	{
		note "stale: $stale";
		$node->safe_psql('postgres', q{CALL clientele.refresh('shop')});
		exact($node, 'postgres', 'shop', 'the store was stale, and is mended');
	}
	return;
}

my @rounds = (
	(map { ( [ 'incremental refreshes', qr/./ ], [ 'full refreshes', qr/counting/ ], [ 'full refreshes', qr/writing/ ], [ 'incremental refreshes', undef ], [ 'batch refreshes', qr/writing/ ] ) } 1 .. 3),
	[ 'full refreshes', qr/folding|summar/ ], [ 'refreshes in one go', qr/./ ], [ 'refreshes in one go', undef ], [ 'going live and back', undef ], [ 'going live and back', undef ], [ 'other stores', undef ], [ 'other stores', qr/./ ], [ 'vacuum', undef ]);
for my $round (@rounds)
{
	crash(@$round);
	recovered($round->[0]);
	if ($kills % 4 == 0)
	{
		# The next refreshes go on where the last ended.
		$node->safe_psql('postgres', q{SELECT clientele.set_live('shop', true); CALL clientele.refresh('shop'); CALL clientele.refresh('batch'); CALL clientele.refresh('shop')});
		exact($node, 'postgres', 'shop', 'after a refresh the store is exact');
		same_rows($node, 'postgres', 'SELECT customer_id, clientele.order_profile_send(profile) FROM batch.profiles', 'SELECT customer_id, clientele.order_profile_send(profile) FROM batch._profiles_at(now())', 'so is the one that is not live');
		is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.pending'), '0', 'and nothing is pending');
	}
	$node->safe_psql('postgres', q{SELECT clientele.set_live('shop', true)});
	$node->safe_psql('postgres', q{SELECT clientele.drop_store('other')}) if $node->safe_psql('postgres', q{SELECT count(*) FROM clientele.stores WHERE store = 'other'}) eq '1';
}
note "killed $kills times, in the phases: " . join(', ', map { "$_ $progress{$_}" } sort keys %progress) . "; $placed changes were acknowledged";
cmp_ok($kills, '>=', 20, 'killed often enough');
cmp_ok($placed, '>', 20 * $kills, 'while orders were being placed');
is(complaints($node), '', 'the server has nothing to complain of');

done_testing();
