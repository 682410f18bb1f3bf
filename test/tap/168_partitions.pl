# Partitions of a live store's orders that are attached, detached and dropped: the store says so at once, whoever may be concerned is counted
# anew, and nobody else; and the daily routine of docs/replicas.md, run as it stands there.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $page = slurp_file('docs/replicas.md');
sub block { my ($kind) = @_; my ($block) = $page =~ /^```\Q$kind\E\n(.*?)^```\n/ms; return $block // BAIL_OUT("docs/replicas.md has no block $kind"); }

my $node = new_server('partitions', "autovacuum = off\nfsync = off\n");
my $db = 'postgres';
my $sql = sub { my ($query) = @_; return $node->safe_psql($db, "SET client_min_messages = warning; $query") };
my $stale = sub { $sql->(q{SELECT stale FROM clientele.stores WHERE store = 'shop'}) };
my $alert = sub { $sql->(q{SELECT detail FROM clientele.alerts WHERE store = 'shop' AND alert = 'stale'}) };
# Who is marked: how many customers, and (-1) whether it is everybody.
my $pending = q{SELECT CASE WHEN count(*) FILTER (WHERE customer_id IS NULL) > 0 THEN -1 ELSE count(DISTINCT customer_id) FILTER (WHERE profile IS NULL) END FROM shop.pending};
my $marked = sub { $sql->($pending) };
my $refresh = sub { $sql->(q{CALL clientele.refresh('shop')}) };

# ---- The routine: 30 days of orders, customer c has ordered on every day of which c is a multiple ----

$sql->(q{CREATE EXTENSION clientele;
	CREATE TABLE orders (order_id bigint NOT NULL, customer_id bigint, ordered_at timestamptz NOT NULL, amount numeric(10,2)) PARTITION BY RANGE (ordered_at);
	CREATE INDEX ON orders (customer_id);
	SELECT format('CREATE TABLE orders_%s PARTITION OF orders FOR VALUES FROM (%L) TO (%L)', to_char(current_date - n, 'YYYYMMDD'), current_date - n, current_date - n + 1) FROM generate_series(-1, 30) n} . "\n\\gexec\n" . q{
	INSERT INTO orders SELECT 1000 * n + c, c, current_date - n + interval '10 hours', 10 + c FROM generate_series(1, 30) n, generate_series(1, 200) c WHERE (c + n) % 10 = 0 OR c = 200;
	SELECT clientele.create_store('shop', 'orders', live => true);
	CALL clientele.refresh('shop')});
is($stale->(), '', 'a live store over daily partitions');
is($sql->('SELECT count(*) FROM shop.partitions'), '32', 'they are recorded');
my $concerned = sub { my ($day) = @_; return $sql->("SELECT count(DISTINCT customer_id) FROM orders WHERE ordered_at >= current_date - $day AND ordered_at < current_date - $day + 1") };

$sql->(block('sql daily'));
my ($roll, $live, $fold) = split /\n/, block('sql every day');
my $days = 29;
my $bought = $concerned->(30);
is($bought, '20', 'on the day that goes some have bought');
$sql->("BEGIN; SET LOCAL TimeZone = 'UTC'; CALL roll_orders($days); COMMIT");
like($stale->(), qr/^public\.orders_\d+ was detached or dropped, and its orders still count: CALL clientele\.refresh\('shop'\)$/, 'a partition that is gone shows at once');
like($alert->(), qr/was detached or dropped/, 'as an alert, too');
is($sql->(q{SELECT finding, detail FROM clientele.check_store('shop') WHERE finding = 'partition'}), 'partition|' . $stale->(), 'and in check_store');
$sql->($live);
is($marked->(), $bought, 'those are marked who bought on that day');
is($stale->(), '', 'and the store is right');
exact($node, $db, 'shop', 'to the last bit');
$sql->($fold);
is($sql->('SELECT count(*) FROM shop.pending'), '0', 'it is folded');
exact($node, $db, 'shop', 'and right');

# As the days go by. (The routine is asked for one day less, instead of waiting.)
for my $day (1 .. 3)
{
	$bought = $concerned->($days--);
	$sql->("CALL roll_orders($days)");
	$sql->($live);
	is($marked->(), $bought, 'another day: the customers of that day are marked');
	$sql->($live);
	is($marked->(), $bought, 'and none for asking twice');
	$sql->($fold);
	$sql->($live);
	is($marked->(), '0', 'nor after it was folded');
	exact($node, $db, 'shop', 'the store is exact');
}
$bought = $concerned->($days--);
$sql->("CALL roll_orders($days)");
is($sql->("SELECT clientele._prepare_refresh('shop'); $pending") =~ s/^\s+//r, $bought, 'a refresh alone marks them, too');
$sql->("CALL roll_orders(@{[ --$days ]})");
$refresh->();
is($stale->(), '', 'and folds them');
exact($node, $db, 'shop', 'exactly');

# Tomorrow's.
$sql->(q{CREATE TABLE orders_next (LIKE orders INCLUDING DEFAULTS INCLUDING CONSTRAINTS); ALTER TABLE orders ATTACH PARTITION orders_next FOR VALUES FROM ('2100-01-01') TO ('2100-01-02')});
like($stale->(), qr/triggers are missing or disabled on public\.orders_next/, 'a partition that is new shows at once');
$refresh->();
is($marked->(), '0', 'a refresh marks nobody for an empty one');
like($stale->(), qr/triggers are missing or disabled on public\.orders_next/, 'and cannot give it triggers');
$sql->($live);
is($marked->(), '0', 'nor does set_live');
is($stale->(), '', 'which does');

# ---- What else may happen to them ----

my $refunds = $sql->(q{INSERT INTO orders VALUES (1, 150, current_date - 3, -5), (2, 151, current_date - 3, -5); SELECT count(*) FROM orders WHERE amount < 0});
$refresh->();
my $gone = $concerned->(5);
$sql->(q{SELECT format('DROP TABLE orders_%s', to_char(current_date - 5, 'YYYYMMDD'))} . "\n\\gexec");
like($stale->(), qr/detached or dropped/, 'dropped');
$sql->($live);
is($marked->(), $gone + $refunds, 'who bought then, and who has refund rows, is counted again');
exact($node, $db, 'shop', 'exactly');
$refresh->();

my $four = $sql->(q{SELECT 'orders_' || to_char(current_date - 4, 'YYYYMMDD')});
my $bounds = q{FOR VALUES FROM ('} . $sql->('SELECT current_date - 4') . q{') TO ('} . $sql->('SELECT current_date - 3') . q{')};
$gone = $concerned->(4);
$sql->("ALTER TABLE orders DETACH PARTITION $four; UPDATE $four SET customer_id = 77 WHERE customer_id = 200; INSERT INTO $four SELECT 90000 + c, c, current_date - 4, 3 FROM generate_series(301, 305) c;
	DELETE FROM $four WHERE customer_id = 6; ALTER TABLE orders ATTACH PARTITION $four $bounds");
like($stale->(), qr/$four was detached or dropped, and its orders still count.*; public\.$four was attached, and its orders do not count yet/, 'detached, written, and attached again: its triggers were there all the while');
cmp_ok($sql->(differences('shop')), '>', 5, 'and it matters');
$refresh->();
exact($node, $db, 'shop', 'mended by a refresh');
is($stale->(), '', 'for good');
$sql->("ALTER TABLE orders DETACH PARTITION $four");
$sql->($live);
$sql->("INSERT INTO $four SELECT 91000 + c, c, current_date - 4, 3 FROM generate_series(311, 315) c; ALTER TABLE orders ATTACH PARTITION $four $bounds");
$sql->($live);
is($marked->(), $sql->("SELECT count(DISTINCT customer_id) + $refunds FROM $four"), 'of one that is attached with orders those are counted who have some there');
exact($node, $db, 'shop', 'exactly');
$refresh->();
$sql->("ALTER TABLE $four RENAME TO renamed; VACUUM FULL pg_inherits");
is($stale->(), '', 'a new name is no change');

$sql->(q{CREATE TABLE rest (LIKE orders); INSERT INTO rest VALUES (92000, 400, '1999-01-01', 8); ALTER TABLE orders ATTACH PARTITION rest DEFAULT});
$sql->($live);
is($marked->(), '-1', 'nobody knows the days of the default partition: everybody is counted');
exact($node, $db, 'shop', 'exactly');
$refresh->();

# Disabled triggers: what was missed is in that partition.
my $two = $sql->(q{SELECT 'orders_' || to_char(current_date - 2, 'YYYYMMDD')});
$gone = $concerned->(2);
$sql->("ALTER TABLE $two DISABLE TRIGGER ALL; DELETE FROM $two WHERE customer_id = 8; INSERT INTO $two VALUES (93000, 500, current_date - 2, 9)");
$sql->($live);
is($marked->(), $gone + 1 + $refunds, 'who may be concerned by a partition whose triggers were disabled is counted, and no others');
exact($node, $db, 'shop', 'exactly');
$gone = $concerned->(1);
$sql->("CALL clientele.refresh('shop'); ALTER TABLE $two DISABLE TRIGGER ALL; TRUNCATE $two");
$sql->($live);
exact($node, $db, 'shop', 'one that was emptied without its triggers, too');
$refresh->();

# In a transaction that is rolled back nothing has happened.
$sql->("BEGIN; ALTER TABLE orders DETACH PARTITION renamed; SELECT clientele.set_live('shop', true); ROLLBACK");
is($stale->() . $marked->(), '0', 'rolled back');
exact($node, $db, 'shop', 'and exact');

# ---- Who may see it; a copy of the database; a switch ----

$sql->(q{CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher; CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA shop TO reader; GRANT SELECT ON shop.settings TO reader; ALTER TABLE orders DETACH PARTITION renamed});
like($node->safe_psql($db, q{SELECT detail FROM clientele.alerts WHERE alert = 'stale'}, extra_params => [ '-U', 'watcher' ]), qr/detached or dropped/, 'a monitor sees it');
like($node->safe_psql($db, q{SELECT stale FROM clientele.stores}, extra_params => [ '-U', 'reader' ]), qr/detached or dropped/, 'and who lists the stores');
$refresh->();
$node->safe_psql('postgres', 'CREATE DATABASE copy');
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr($db) ], 'dumped');
$node->command_ok([ 'psql', '-q', '-X', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('copy') ], 'restored');
is($node->safe_psql('copy', q{SELECT stale FROM clientele.stores}), '', 'no partition is new in a copy');
$node->safe_psql('copy', "ALTER TABLE orders DETACH PARTITION $two");
like($node->safe_psql('copy', q{SELECT stale FROM clientele.stores}), qr/detached or dropped/, 'but one that goes shows');
$node->safe_psql('copy', q{CALL clientele.refresh('shop')});
exact($node, 'copy', 'shop', 'and is mended');
$sql->(q{SELECT clientele.set_live('shop', false); ALTER TABLE orders DETACH PARTITION rest});
is($stale->() . $sql->('SELECT count(*) FROM shop.partitions'), '0', 'what is not live has no partitions to follow');
$sql->(q{SELECT clientele.set_live('shop', true)});
exact($node, $db, 'shop', 'live again');
$refresh->();
$sql->(q{SELECT clientele.detach_store('shop'); ALTER TABLE orders ATTACH PARTITION rest DEFAULT; SELECT clientele.attach_store('shop')});
is($stale->(), '', 'detached and attached');
exact($node, $db, 'shop', 'and exact');
$refresh->();

# ---- Anything, in any order ----

srand(my $seed = $ENV{SEED} // time);
note("SEED=$seed");
# What orders are partitioned by, how one of five partitions is attached, and the time of an order in it.
my %shops = (
	zoned => { type => 'timestamptz', by => 'RANGE (ordered_at)', zone => 'America/New_York', bounds => q{FROM ('2025-0N-01 03:30+00') TO ('2025-0N-20 03:30+00')}, time => q{'2025-0N-01 03:30+00'::timestamptz + random() * interval '18 days 23 hours'} },
	dated => { type => 'date', by => 'RANGE (ordered_at, order_id)', zone => 'Asia/Tokyo', bounds => q{FROM ('2025-0N-01', 5) TO ('2025-0N-20', 5)}, time => q{'2025-0N-02'::date + (random() * 17)::int} },
	local => { type => 'timestamp', by => 'RANGE (ordered_at)', zone => 'Pacific/Auckland', bounds => q{FROM ('2025-0N-01 12:00') TO ('2025-0N-20 12:00')}, time => q{'2025-0N-01 12:00'::timestamp + random() * interval '18 days 23 hours'} },
	listed => { type => 'timestamptz', by => 'LIST (part)', zone => 'UTC', bounds => q{in (N)}, time => q{now() - random() * interval '300 days'} });
my $next = 100000;
my $rows = sub {
	my ($of, $n, $count) = @_;
	$next += $count;
	return "SELECT $next - i, 1 + (random() * 40)::int, $shops{$of}{time}, round((random() * 60 - 8)::numeric, 2), $n FROM generate_series(1, $count) i" =~ s/0N/0$n/gr;
};
for my $of (sort keys %shops)
{
	my $shop = $shops{$of};
	my $bounds = sub { my ($n) = @_; return $shop->{bounds} =~ s/(?<=0)N|(?<=\()N/$n/gr };
	$sql->(qq{CREATE SCHEMA $of; SET search_path = $of; CREATE TABLE orders (order_id bigint NOT NULL, customer_id int, ordered_at $shop->{type} NOT NULL, amount numeric, part int) PARTITION BY $shop->{by}; CREATE INDEX ON orders (customer_id);}
		. join('', map { "CREATE TABLE p$_ PARTITION OF orders FOR VALUES " . $bounds->($_) . "; INSERT INTO orders " . $rows->($of, $_, 30) . ';' } 1 .. 5)
		. qq{SELECT clientele.create_store('${of}_shop', '$of.orders', time_zone => '$shop->{zone}', order_id => NULL, live => true); CALL clientele.refresh('${of}_shop')});
	my %there = map { $_ => 1 } 1 .. 5;
	my %gone;
	my @done;
	for my $step (1 .. 24)
	{
		my ($n) = (sort { rand() <=> 0.5 } 1 .. 5);
		my $what = int(rand(9));
		my $do = $what == 0 && $there{$n} ? do { $there{$n} = 0; "ALTER TABLE orders DETACH PARTITION p$n" }
			: $what == 1 && $there{$n} ? do { $there{$n} = 0; $gone{$n} = 1; "DROP TABLE p$n" }
			: $what <= 4 && !$there{$n} ? do { $there{$n} = 1; (delete $gone{$n} ? "CREATE TABLE p$n (LIKE orders);" . (rand() < 0.5 ? "INSERT INTO p$n " . $rows->($of, $n, 12) . ';' : '') : '') . "ALTER TABLE orders ATTACH PARTITION p$n FOR VALUES " . $bounds->($n) }
			: $what == 5 && !$gone{$n} ? "INSERT INTO p$n " . $rows->($of, $n, 3)
			: $what == 6 && !$gone{$n} ? (rand() < 0.3 ? "TRUNCATE p$n" : "DELETE FROM p$n WHERE customer_id % 4 = " . int(rand(4)))
			: $what == 7 && $there{$n} ? "UPDATE orders SET amount = amount + 1, customer_id = customer_id % 40 + 1 WHERE part = $n AND random() < 0.1"
			: (rand() < 0.5 ? "SELECT clientele.set_live('${of}_shop', true)" : "CALL clientele.refresh('${of}_shop')");
		push @done, $do;
		$sql->("SET search_path = $of; $do");
		if ($sql->("SELECT stale IS NULL FROM clientele.stores WHERE store = '${of}_shop'") eq 't')
		{
			my $wrong = $sql->(differences("${of}_shop"));
			is($wrong, '0', "$of: what is not stale is exact, after " . scalar(@done) . ' steps') or do { diag(join("\n", "SEED=$seed", @done)); last };
		}
	}
	$sql->("SELECT clientele.set_live('${of}_shop', true)");
	exact($node, $db, "${of}_shop", "$of: live equals a recount in the end") or diag(join("\n", "SEED=$seed", @done));
	is($sql->("SELECT stale FROM clientele.stores WHERE store = '${of}_shop'"), '', 'and knows it');
	$sql->("CALL clientele.refresh('${of}_shop')");
	exact($node, $db, "${of}_shop", "$of: folded, too");
}

is(complaints($node), '', 'nothing unexpected in the log');
$node->stop;
done_testing();
