# Random histories of orders from several sessions at once: whatever happened, a live store shows what a recount of the
# orders gives, to the last bit. CLIENTELE_SEED repeats the statements of a run, CLIENTELE_STATEMENTS says how many.
use strict;
use warnings;
use IPC::Run;
use POSIX qw(floor strftime);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time);

my $seed = $ENV{CLIENTELE_SEED} // 1;
my $wanted = $ENV{CLIENTELE_STATEMENTS} // 10_000;
my $sessions = 4;
my $customers = 150;
srand($seed);
note "CLIENTELE_SEED=$seed";

sub one_of { return $_[ int rand @_ ]; }
sub chance { my ($percent) = @_; return rand(100) < $percent; }
sub literal { my ($value) = @_; return defined $value ? "'" . ($value =~ s/'/''/gr) . "'" : 'NULL'; }
sub instant { my ($at) = @_; return strftime('%Y-%m-%d %H:%M:%S', gmtime(floor($at))) . sprintf('.%06d+00', ($at - floor($at)) * 1e6); }

# ---- The shops ----
# key: the type of a customer's key. leaves: tables beside the root that statements name, what their rows must have
# (fix), and what must not change in them (stuck). stores: options of create_store, and by hand an order's value, time and filter.

my @columns = qw(order_id customer_id ordered_at amount refunded discount status note);
my $today = floor(time / 86400) * 86400;
my ($earlier, $lately, $soon) = map { $today + 86400 * $_ } -300, -100, 3;
my ($earlier_day, $lately_day, $soon_day) = map { strftime('%Y-%m-%d 00:00+00', gmtime($_)) } $earlier, $lately, $soon;
my $no_discount = q{CASE WHEN amount < 0 THEN amount WHEN refunded <> 0 AND abs(refunded) >= amount THEN NULL ELSE amount - abs(coalesce(refunded, 0)) END};

my %shop = (
	plain => {
		key => 'bigint', conflict => 'order_id', leaves => [],
		tables => q{CREATE TABLE orders (gone integer, order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric, refunded numeric, discount numeric(12,2), status text, note text,
				total numeric GENERATED ALWAYS AS (amount * 2) STORED); ALTER TABLE orders DROP COLUMN gone; CREATE INDEX ON orders (customer_id)},
		stores => {
			plain_shop => { options => q{order_filter => $$status = 'completed'$$, refunded => 'refunded', discount => 'discount'}, filter => q{status = 'completed'}, at => 'ordered_at',
				value => q{CASE WHEN amount < 0 THEN amount WHEN refunded <> 0 AND abs(refunded) >= amount THEN NULL ELSE amount + coalesce(discount, 0) - abs(coalesce(refunded, 0)) END} },
			plain_all => { options => q{time_zone => 'Asia/Tokyo', amount => 'total'}, value => 'total', filter => 'true', at => 'ordered_at' } } },
	basket => {
		key => 'text', conflict => 'order_id', leaves => [], items => ['order_items'],
		tables => q{CREATE TABLE orders (note text, order_id bigint PRIMARY KEY, customer_id text, ordered_at timestamptz, amount numeric, refunded numeric, discount numeric(12,2), status text);
			CREATE TABLE order_items (line_id bigint PRIMARY KEY, order_id bigint, category text, amount numeric); CREATE INDEX ON orders (customer_id); CREATE INDEX ON order_items (order_id)},
		stores => { basket_shop => { options => q{order_filter => $$coalesce(status, 'x') <> 'cancelled'$$, refunded => 'refunded', items => 'basket.order_items', time_zone => 'America/New_York'},
				value => $no_discount, filter => q{coalesce(status, 'x') <> 'cancelled'}, at => 'ordered_at' } } },
	monthly => {
		key => 'bigint', conflict => 'order_id, ordered_at', items => ['order_items'], stuck => ['ordered_at'],
		leaves => [
			{ table => 'old_orders', fix => sub { return { ordered_at => a_time_within($earlier - 86400 * 100, $earlier) } } },
			{ table => 'odd_orders', fix => sub { return { ordered_at => a_time_within($earlier, $lately) } } },
			{ table => 'late_orders', fix => sub { return { ordered_at => a_time_within($lately, $today) } } } ],
		tables => qq{CREATE TABLE orders (order_id bigint, customer_id bigint, ordered_at timestamptz, amount numeric, refunded numeric, discount numeric(12,2), status text, note text) PARTITION BY RANGE (ordered_at);
			CREATE TABLE odd_orders (gone text, note text, amount numeric, also_gone integer, status text, ordered_at timestamptz, discount numeric(12,2), customer_id bigint, refunded numeric, order_id bigint);
			ALTER TABLE odd_orders DROP COLUMN gone, DROP COLUMN also_gone;
			CREATE TABLE old_orders PARTITION OF orders FOR VALUES FROM (MINVALUE) TO ('$earlier_day');
			ALTER TABLE orders ATTACH PARTITION odd_orders FOR VALUES FROM ('$earlier_day') TO ('$lately_day');
			CREATE TABLE late_orders PARTITION OF orders FOR VALUES FROM ('$lately_day') TO ('$soon_day');
			CREATE TABLE other_orders PARTITION OF orders DEFAULT;
			CREATE UNIQUE INDEX ON orders (order_id, ordered_at); CREATE INDEX ON orders (customer_id);
			CREATE TABLE order_items (category varchar(20), amount numeric, order_id bigint, line_id bigint PRIMARY KEY); CREATE INDEX ON order_items (order_id)},
		stores => { monthly_shop => { options => q{order_filter => $$coalesce(note, '') <> 'x'$$, refunded => 'refunded', items => 'monthly.order_items'}, value => $no_discount, filter => q{coalesce(note, '') <> 'x'}, at => 'ordered_at' } } },
	regional => {
		key => 'uuid', stuck => [ 'status', 'order_id' ],
		leaves => [
			{ table => 'done', fix => sub { return { status => 'completed' } } },
			{ table => 'done_even', fix => sub { return { status => 'completed' } }, even => 1 },
			{ table => 'undone', fix => sub { return { status => 'cancelled' } } } ],
		tables => q{CREATE TABLE orders (order_id bigint NOT NULL, customer_id uuid, ordered_at date, amount numeric, refunded numeric, discount numeric(12,2), status text, note text) PARTITION BY LIST (status);
			CREATE TABLE done PARTITION OF orders FOR VALUES IN ('completed') PARTITION BY LIST ((order_id % 2));
			CREATE TABLE done_even PARTITION OF done FOR VALUES IN (0); CREATE TABLE done_odd PARTITION OF done FOR VALUES IN (1);
			CREATE TABLE undone PARTITION OF orders FOR VALUES IN ('cancelled', 'open'); CREATE TABLE neither PARTITION OF orders DEFAULT;
			CREATE INDEX ON orders (order_id); CREATE INDEX ON orders (customer_id)},
		stores => { regional_shop => { options => q{order_filter => $$status = 'completed'$$, time_zone => 'Europe/Berlin'}, value => 'amount', filter => q{status = 'completed'}, at => q{(ordered_at::timestamp AT TIME ZONE 'Europe/Berlin')} } } },
	family => {
		key => 'varchar(40)', conflict => 'order_id', local_times => 1, items => [ 'order_items', 'items_even' ],
		leaves => [ { table => 'more_orders', fix => sub { return {} } } ],
		tables => q{CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id varchar(40), ordered_at timestamp, amount numeric, refunded numeric, discount numeric(12,2), status text, note text);
			CREATE TABLE more_orders (extra text DEFAULT 'x', PRIMARY KEY (order_id)) INHERITS (orders); CREATE INDEX ON orders (customer_id); CREATE INDEX ON more_orders (customer_id);
			CREATE TABLE order_items (line_id bigint, order_id bigint, category text, amount numeric) PARTITION BY LIST ((line_id % 2)); CREATE INDEX ON order_items (order_id); CREATE INDEX ON order_items (line_id);
			CREATE TABLE items_even PARTITION OF order_items FOR VALUES IN (0); CREATE TABLE items_odd PARTITION OF order_items FOR VALUES IN (1)},
		stores => { family_shop => { options => q{discount => 'discount', items => 'family.order_items', time_zone => 'America/New_York'},
				value => q{CASE WHEN amount < 0 THEN amount ELSE amount + coalesce(discount, 0) END}, filter => 'true', at => q{(ordered_at AT TIME ZONE 'America/New_York')} } } });
$shop{$_}{name} = $_ for keys %shop;

my $node = new_server('live', "max_prepared_transactions = 20\ndeadlock_timeout = '100ms'\nlog_statement = none\nlog_min_error_statement = panic\n");
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');

# What a store shows, what the extension counts, and what is counted by hand: the rows in which two of them differ.
sub create_differences
{
	my ($name, $store, $with) = @_;
	my $zone = $with->{options} =~ /time_zone => ('[^']+')/ ? ", $1" : '';
	my $order_id = $with->{options} =~ /items/ ? 'order_id' : 'NULL';
	# Of the orders of one day, the one with the greater id is the later.
	my $tie = $with->{at} =~ /AT TIME ZONE/ ? q{CASE WHEN ordered_at::timestamp = date_trunc('day', ordered_at::timestamp) THEN order_id END} : 'NULL::bigint';
	$zone ||= q{, 'UTC'};
	my $mixes = $with->{options} !~ /items/ ? "SELECT NULL::$shop{$name}{key}, NULL::jsonb WHERE false" : qq{
		SELECT customer_id, jsonb_object_agg(category, amount) FROM (
			SELECT o.customer_id, i.category::text, sum(i.amount) AS amount FROM orders_by_hand o JOIN $name.order_items i USING (order_id)
			WHERE o.value >= 0 AND i.category IS NOT NULL AND i.amount IS NOT NULL GROUP BY 1, 2) c GROUP BY 1};
	$node->safe_psql('postgres', qq{
		CREATE VIEW $name.differences_$store AS WITH
			orders_by_hand AS MATERIALIZED (
				SELECT * FROM (SELECT customer_id, $with->{at} AS at, $with->{value} AS value, $order_id AS order_id, $tie AS tie FROM $name.orders WHERE customer_id IS NOT NULL AND ($with->{filter})) o WHERE at <= now()),
			mixes_by_hand (customer_id, category_mix) AS ($mixes),
			by_hand (customer_id, profile, category_mix) AS MATERIALIZED (
				SELECT p.customer_id, p.profile, m.category_mix FROM (SELECT customer_id, clientele.order_profile(at, value$zone, tie) AS profile FROM orders_by_hand GROUP BY 1) p
				LEFT JOIN mixes_by_hand m ON m.customer_id = p.customer_id WHERE p.profile IS NOT NULL),
			shown AS MATERIALIZED (SELECT customer_id, clientele.order_profile_send(profile) AS sent, category_mix, profile::text FROM $store._profiles_now()),
			counted AS MATERIALIZED (SELECT customer_id, clientele.order_profile_send(profile) AS sent, category_mix, profile::text FROM $store._profiles_at(now())),
			hand AS MATERIALIZED (SELECT customer_id, clientele.order_profile_send(profile) AS sent, category_mix, profile::text FROM by_hand)
		SELECT '$store' AS store, d.how, d.customer_id::text, d.profile, d.category_mix FROM (
			SELECT 'shown, not counted' AS how, * FROM (TABLE shown EXCEPT ALL TABLE counted) a UNION ALL
			SELECT 'counted, not shown', * FROM (TABLE counted EXCEPT ALL TABLE shown) b UNION ALL
			SELECT 'shown, not counted by hand', * FROM (TABLE shown EXCEPT ALL TABLE hand) c UNION ALL
			SELECT 'counted by hand, not shown', * FROM (TABLE hand EXCEPT ALL TABLE shown) e) d});
	return;
}

sub create_shop_of
{
	my ($name) = @_;
	my $shop = $shop{$name};
	$shop->{next_order} = [ (1) x $sessions ];
	$shop->{next_line} = [ (1) x $sessions ];
	# Some orders are there before the store.
	$node->safe_psql('postgres', "CREATE SCHEMA $name; SET search_path = $name; $shop->{tables};\n" . join(";\n", map { insert_rows($shop, $_ % $sessions, 'past', 5) } 1 .. 8));
	for my $store (sort keys %{ $shop->{stores} })
	{
		my $with = $shop->{stores}{$store};
		$node->safe_psql('postgres', "SELECT clientele.create_store('$store', orders => '$name.orders', $with->{options}, live => true)");
		create_differences($name, $store, $with);
	}
	$node->safe_psql('postgres', "CREATE VIEW $name.differences AS " . join(' UNION ALL ', map { "SELECT * FROM $name.differences_$_" } sort keys %{ $shop->{stores} }));
	return;
}

# ---- Values ----

sub key
{
	my ($shop, $number) = @_;
	return $number if $shop->{key} eq 'bigint';
	return sprintf('%08x-0000-4000-8000-%012x', $number * 77777, $number) if $shop->{key} eq 'uuid';
	return "it's $number";
}

# The same for an SQL expression that gives the number.
sub key_expression
{
	my ($shop, $number) = @_;
	return "($number)::bigint" if $shop->{key} eq 'bigint';
	return "(lpad(to_hex(($number) * 77777), 8, '0') || '-0000-4000-8000-' || lpad(to_hex($number), 12, '0'))::uuid" if $shop->{key} eq 'uuid';
	return "('it''s ' || ($number))";
}

sub a_key { my ($shop) = @_; return chance(6) ? undef : key($shop, 1 + int(rand($customers) * rand(1))); }

# Equal times are as likely as others.
sub a_time_within { my ($from, $to) = @_; return instant(chance(30) ? $from + 86400 * int(rand 3) : $from + rand($to - $from)); }

# past: before all transactions of this test, which therefore agree on whether it is past; near: about now, too, before and after.
sub a_time
{
	my ($when) = @_;
	my $kind = rand 100;
	return undef if $kind < 2;
	return '2093-04-05 06:07:08+00' if $kind < 6;
	return one_of('2024-03-10 07:00:00+00', '2023-11-05 05:30:00+00', '2024-02-29 23:59:59.999999+00', '2024-07-01 00:00:00+00', instant($today - 86400 * 20)) if $kind < 40;
	return instant(time + rand(4) - 2) if $when eq 'near' && $kind < 65;
	return instant($today - 86400 - rand(500 * 86400));
}

sub an_amount { return one_of(undef, 0, '-5.00', '-19.99', '19.99', '19.99', '12.34565', '0.00005', '1e3', '123456789.99', map { sprintf '%.2f', rand 200 } 1 .. 12); }
sub a_refund { return one_of(undef, undef, undef, 0, '5.00', '-3', '19.99', '1e6'); }
sub a_discount { return one_of(undef, undef, 0, '1.50', '10'); }
sub a_status { return one_of(undef, 'completed', 'completed', 'completed', 'cancelled', 'open', 'odd'); }

# Each session has order numbers of its own, so that none waits for another's row; customers are everybody's.
sub new_id { my ($shop, $s) = @_; return $sessions * $shop->{next_order}[$s]++ + $s; }
sub own_id
{
	my ($shop, $s) = @_;
	my $n = $shop->{next_order}[$s];
	# The last ones are busy, so that sessions meet over them.
	my $last = one_of(4, 12);
	return $sessions * (chance(40) || $n <= $last ? int(rand $n) : $n - 1 - int(rand $last)) + $s;
}
sub any_id { my ($shop) = @_; my $s = int rand $sessions; return chance(10) ? $sessions * ($shop->{next_order}[$s] + int(rand 5)) + $s : own_id($shop, $s); }

sub a_row
{
	my ($shop, $s, $when, $leaf) = @_;
	my %row = (order_id => new_id($shop, $s), customer_id => a_key($shop), ordered_at => a_time($when), amount => an_amount(), refunded => a_refund(), discount => a_discount(),
		status => a_status(), note => one_of(undef, 'x', "y'z"), $leaf ? %{ $leaf->{fix}->() } : ());
	$row{ordered_at} =~ s/\+00$// if $shop->{local_times} && defined $row{ordered_at};
	return \%row;
}

# The root, or a leaf and its name.
sub target
{
	my ($shop, $s) = @_;
	my @leaves = grep { !$_->{even} || $s % 2 == 0 } @{ $shop->{leaves} };
	return ('orders', undef) if !@leaves || chance(60);
	my $leaf = one_of(@leaves);
	return ($leaf->{table}, $leaf);
}

# ---- Statements ----

sub insert_rows
{
	my ($shop, $s, $when, $rows) = @_;
	my ($table, $leaf) = target($shop, $s);
	my @order = chance(50) ? @columns : reverse @columns;
	return "INSERT INTO $table (" . join(', ', @order) . ') VALUES '
	  . join(', ', map { my $row = a_row($shop, $s, $when, $leaf); '(' . join(', ', map { literal($row->{$_}) } @order) . ')' } 1 .. $rows);
}

sub insert_select
{
	my ($shop, $s) = @_;
	my @ids = map { new_id($shop, $s) } 1 .. 1 + int rand 20;
	my $from = 1 + int rand $customers;
	my $time = one_of('2024-01-01 00:00:00', '2024-07-01 00:00:00', instant($today - 86400 * 20) =~ s/\+00$//r);
	my $type = $shop->{local_times} ? 'timestamp' : 'timestamptz';
	return "INSERT INTO orders (order_id, customer_id, ordered_at, amount, status) SELECT $ids[0] + g * $sessions, " . key_expression($shop, "1 + ($from + g / 3) % $customers")
	  . ", $type '$time' - (g % 5) * interval '7 hours', (g * 37 % 91) - 2.5, 'completed' FROM generate_series(0, $#ids) g";
}

sub copy_rows
{
	my ($shop, $s, $when) = @_;
	my ($table, $leaf) = target($shop, $s);
	return copy_of($table, [@columns], map { my $row = a_row($shop, $s, $when, $leaf); [ @$row{@columns} ] } 1 .. 1 + int rand 15);
}

# From a file: data within the script would be taken for statements where the transaction had failed before.
my $copies = 0;
sub copy_of
{
	my ($table, $names, @rows) = @_;
	my $file = $node->basedir . '/copy' . ++$copies;
	append_to_file($file, join('', map { join("\t", map { $_ // '\N' } @$_) . "\n" } @rows));
	return "\\copy $table (" . join(', ', @$names) . ") FROM '$file'";
}

# Some rows of the session's own.
sub own_rows
{
	my ($shop, $s) = @_;
	my $kind = rand 100;
	return 'order_id = ' . own_id($shop, $s) if $kind < 45;
	return 'order_id IN (' . join(', ', map { own_id($shop, $s) } 1 .. 4) . ')' if $kind < 65;
	my $mine = "order_id % $sessions = $s";
	return "$mine AND customer_id = " . literal(key($shop, 1 + int rand $customers)) if $kind < 80;
	return "$mine AND order_id % 36 = " . ($s + $sessions * int rand 9) if $kind < 92;
	return $kind < 96 ? "$mine AND amount < 0" : "$mine AND order_id < 0";
}

sub update_orders
{
	my ($shop, $s, $when) = @_;
	my ($table, $leaf) = target($shop, $s);
	my %stuck = map { $_ => 1 } $leaf ? @{ $shop->{stuck} // [] } : ();
	my $time = a_time($when);
	$time =~ s/\+00$// if defined $time && $shop->{local_times};
	my %to = (amount => chance(40) ? 'amount + 1' : literal(an_amount()), customer_id => literal(a_key($shop)), ordered_at => literal($time), refunded => literal(a_refund()),
		discount => literal(a_discount()), status => literal(a_status()), note => q{coalesce(note, '') || 'n'});
	my %set = map { $_ => 1 } grep { !$stuck{$_} } map { one_of(qw(amount amount ordered_at customer_id customer_id refunded status note discount)) } 1 .. one_of(1, 1, 1, 2, 3);
	%set = (note => 1) unless %set;
	return "UPDATE $table SET " . join(', ', map { "$_ = $to{$_}" } sort keys %set) . ' WHERE ' . own_rows($shop, $s);
}

sub delete_orders
{
	my ($shop, $s) = @_;
	my ($table) = target($shop, $s);
	return "DELETE FROM $table WHERE " . own_rows($shop, $s) . (chance(50) ? ' AND order_id % 3 = 1' : '');
}

# Some of the orders exist, some do not.
sub upsert
{
	my ($shop, $s, $when) = @_;
	return merge($shop, $s, $when) unless $shop->{conflict};
	my %type = (customer_id => $shop->{key}, ordered_at => $shop->{local_times} ? 'timestamp' : 'timestamptz', map({ $_ => 'numeric' } qw(amount refunded discount)), order_id => 'bigint', status => 'text', note => 'text');
	my %changed = (amount => 'amount + 1', customer_id => 'CASE WHEN order_id % 3 = 0 THEN customer_id ELSE ' . literal(a_key($shop)) . ' END');
	my %ids = map { own_id($shop, $s) => 1 } 1 .. 3;
	my $existing = 'SELECT ' . join(', ', map { $changed{$_} // $_ } @columns) . ' FROM ONLY_orders WHERE order_id IN (' . join(', ', sort keys %ids) . ') UNION ALL ';
	my $only = $shop->{name} eq 'family' ? 'ONLY orders' : 'orders';
	$existing =~ s/ONLY_orders/$only/;
	my @rows = map { my $row = a_row($shop, $s, $when); '(' . join(', ', map { literal($row->{$_}) . "::$type{$_}" } @columns) . ')' } 1 .. 1 + int rand 4;
	return 'INSERT INTO orders (' . join(', ', @columns) . ') ' . (chance(70) ? $existing : '') . 'VALUES ' . join(', ', @rows) . " ON CONFLICT ($shop->{conflict}) DO "
	  . (chance(15) ? 'NOTHING' : 'UPDATE SET amount = excluded.amount, customer_id = excluded.customer_id' . (chance(30) ? ' WHERE orders.amount > 10' : ''));
}

sub merge
{
	my ($shop, $s, $when) = @_;
	my $type = $shop->{local_times} ? 'timestamp' : 'timestamptz';
	my %ids = map { $_ => 1 } map({ own_id($shop, $s) } 1 .. 3), map({ new_id($shop, $s) } 1 .. 2);
	my @rows = map { my $row = a_row($shop, $s, $when);
		"($_, " . literal($row->{customer_id}) . "::$shop->{key}, " . literal($row->{ordered_at}) . "::$type, " . literal($row->{amount}) . '::numeric, ' . literal($row->{status}) . ')' } sort keys %ids;
	return 'MERGE INTO orders o USING (VALUES ' . join(', ', @rows) . ') n (order_id, customer_id, ordered_at, amount, status) ON o.order_id = n.order_id'
	  . ' WHEN MATCHED AND n.amount < 15 THEN DELETE WHEN MATCHED AND n.amount > 180 THEN DO NOTHING'
	  . ' WHEN MATCHED THEN UPDATE SET amount = n.amount, customer_id = n.customer_id' . one_of('', ', ordered_at = n.ordered_at', ', status = n.status')
	  . ' WHEN NOT MATCHED THEN INSERT (order_id, customer_id, ordered_at, amount, status) VALUES (n.order_id, n.customer_id, n.ordered_at, n.amount, n.status)';
}

# Several changes in one statement.
sub changes
{
	my ($shop, $s) = @_;
	my $all = join(', ', @columns);
	my $to = literal(a_key($shop)) . "::$shop->{key}";
	my $kind = int rand 4;
	return "WITH gone AS (DELETE FROM orders WHERE " . own_rows($shop, $s) . " RETURNING $all) INSERT INTO orders ($all) SELECT " . ($all =~ s/customer_id/$to/r) . ' FROM gone' if $kind == 0;
	return 'WITH gone AS (DELETE FROM orders WHERE order_id = ' . own_id($shop, $s) . ' RETURNING customer_id, order_id) UPDATE orders SET amount = amount + 1 FROM gone'
	  . " WHERE orders.customer_id = gone.customer_id AND orders.order_id % $sessions = $s AND orders.order_id <> gone.order_id" if $kind == 1;
	return 'UPDATE orders SET order_id = ' . new_id($shop, $s) . ' WHERE order_id = ' . own_id($shop, $s) if $kind == 2;
	return 'DO $$ BEGIN ' . update_orders($shop, $s, 'past') . '; BEGIN ' . insert_rows($shop, $s, 'past', 2) . '; ' . delete_orders($shop, $s)
	  . '; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$';
}

# Order lines, of anybody's orders, also of orders to come.
sub change_items
{
	my ($shop, $s) = @_;
	my $even = @{ $shop->{items} } > 1 && $s % 2 == 0 && chance(30) ? 1 : 0;
	my $table = $shop->{items}[$even];
	my $line = sub { return [ $sessions * $shop->{next_line}[$s]++ + $s, any_id($shop), one_of(undef, '', 'baby', 'wine', 'grocery', 'a "b"'), one_of(undef, 0, '1.50', '20', '-2.25', '7.12345') ] };
	my $own_line = 'line_id = ' . ($sessions * int(rand $shop->{next_line}[$s]) + $s);
	my $mine = one_of($own_line, $own_line, "line_id % $sessions = $s AND order_id = " . any_id($shop), 'line_id % 44 = ' . ($s + $sessions * int rand 11));
	my $kind = rand 100;
	return "INSERT INTO $table (line_id, order_id, category, amount) VALUES " . join(', ', map { '(' . join(', ', map { literal($_) } @{ $line->() }) . ')' } 1 .. 1 + int rand 5) if $kind < 40;
	return copy_of($table, [qw(line_id order_id category amount)], map { $line->() } 1 .. 1 + int rand 8) if $kind < 50;
	return "UPDATE $table SET amount = amount + 1 WHERE $mine" if $kind < 60;
	return "UPDATE $table SET category = " . literal(one_of('baby', 'wine', undef)) . " WHERE $mine" if $kind < 68;
	return "UPDATE $table SET order_id = " . any_id($shop) . " WHERE $mine" if $kind < 80;
	return 'WITH o AS (UPDATE orders SET customer_id = ' . literal(a_key($shop)) . ' WHERE ' . own_rows($shop, $s) . " RETURNING order_id) UPDATE $table i SET amount = i.amount + 1 FROM o WHERE i.order_id = o.order_id AND line_id % $sessions = $s" if $kind < 84;
	return "DELETE FROM $table WHERE $mine";
}

sub statement
{
	my ($shop, $s, $when) = @_;
	return change_items($shop, $s) if $shop->{items} && chance(30);
	return 'UPDATE orders SET customer_id = ' . literal(a_key($shop)) . ' WHERE order_id = ' . own_id($shop, $s) if $shop->{items} && chance(8);
	my $kind = rand 100;
	return insert_rows($shop, $s, $when, 1) if $kind < 30;
	return insert_rows($shop, $s, $when, 2 + int rand 7) if $kind < 38;
	return insert_select($shop, $s) if $kind < 42;
	return copy_rows($shop, $s, $when) if $kind < 47;
	return update_orders($shop, $s, $when) if $kind < 72;
	return delete_orders($shop, $s) if $kind < 82;
	return upsert($shop, $s, $when) if $kind < 89;
	return merge($shop, $s, $when) if $kind < 95;
	return changes($shop, $s);
}

# single: of one table, with no partitions. A TRUNCATE of several takes them one by one, and so deadlocks with whoever else does.
sub truncation
{
	my ($shop, $single) = @_;
	my @leaves = map { $_->{table} } grep { !$single || $_->{table} ne 'done' } @{ $shop->{leaves} };
	my @items = @{ $shop->{items} // [] };
	return 'TRUNCATE ' . one_of(@leaves || $single ? @leaves : (), $single && @leaves ? () : 'orders', $shop->{name} eq 'family' ? 'ONLY orders' : (), $single && @items > 1 ? $items[1] : @items);
}

# Statements as psql reads them.
sub script { return join("\n", map { /^\\copy/ ? $_ : "$_;" } @_); }

# ---- Transactions: lists of steps; between the steps of one, others' take place ----

my $prepared = 0;
my $asked = q{SELECT 'differences: ' || count(*) FROM differences};

# with: when (see a_time), check (ask within transactions, too), truncate (while no other transaction is open), truncate_beside.
sub transaction
{
	my ($shop, $s, $level, %with) = @_;
	my $next = sub { return statement($shop, $s, $with{when}) };
	my $begin = "BEGIN ISOLATION LEVEL $level";
	my $store = one_of(sort keys %{ $shop->{stores} });
	return { sql => [ one_of('BEGIN', 'BEGIN; SAVEPOINT t', 'BEGIN'), truncation($shop, 1), one_of('COMMIT', 'COMMIT', 'ROLLBACK') ] } if $with{truncate_beside} && $s == 0 && chance(8);
	if ($with{truncate} && chance(3))
	{
		my @before = map { $next->() } 1 .. int rand 2;
		my @undone = chance(30) ? ('SAVEPOINT t', truncation($shop), 'ROLLBACK TO t') : ();
		my @then = map { $next->() } 1 .. int rand 3;
		return { alone => 1, sql => [ $begin, @before, @undone ? @undone : truncation($shop), @then, $with{check} ? $asked : (), one_of('COMMIT', 'COMMIT', 'ROLLBACK') ] };
	}
	return { sql => [ $begin, $next->(), "CALL clientele.refresh('$store'" . one_of('', ', true') . ')', $next->(), $with{check} ? $asked : (), one_of('COMMIT', 'COMMIT', 'ROLLBACK') ] } if $level eq 'READ COMMITTED' && chance(4);
	return map { { sql => [ $next->() ] } } 1 .. 1 + int rand 3 if chance(35);

	my @steps = ([$begin]);
	my $savepoints = 0;
	for (1 .. one_of(1, 2, 3, 4, 6))
	{
		my $kind = rand 100;
		my @step = map { $next->() } 1 .. one_of(1, 1, 2, 3);
		push @step, $asked if $with{check} && chance(12);
		if ($kind < 15) { unshift @step, 'SAVEPOINT s' . ++$savepoints; }
		elsif ($savepoints && $kind < 30) { push @step, "ROLLBACK TO s$savepoints"; $savepoints-- if chance(30); }
		elsif ($savepoints && $kind < 38) { push @step, 'RELEASE s' . $savepoints--; }
		elsif ($savepoints && $kind < 46) { push @step, 'SELECT 1 / 0', "ROLLBACK TO s$savepoints"; }
		push @steps, \@step;
	}
	my $end = rand 100;
	if ($end < 68) { push @steps, ['COMMIT']; }
	elsif ($end < 85) { push @steps, ['ROLLBACK']; }
	elsif ($end < 93) { push @steps, [ 'SELECT 1 / 0', $next->(), 'COMMIT' ]; }
	else { my $name = 'p' . ++$prepared; push @steps, ["PREPARE TRANSACTION '$name'"], [ one_of('COMMIT', 'ROLLBACK') . " PREPARED '$name'" ]; }
	return map { { sql => $_ } } @steps;
}

# ---- Running them ----

my ($executed, %executed) = (0);

# What sessions answered: counts what was executed, and fails for what nobody asked for. Returns the number of failures.
sub account_for
{
	my ($output, $errors, $level, $what) = @_;
	for ($output =~ /^(INSERT|UPDATE|DELETE|MERGE|COPY|TRUNCATE|DO)\b/gm) { $executed++; $executed{$_}++; }
	my %accepted = map { $_ => 1 } qw(22012 25P02);
	# Serialization failures are PostgreSQL's to give, but not at each level. Then there is no savepoint and nothing to prepare.
	$accepted{$_} = 1 for $level ne 'READ COMMITTED' ? qw(40001 3B001 42704) : ();
	# Two orders of one key at one time are the shop's own affair.
	my @wrong = grep { !/(?:ERROR|FATAL):  (\w{5})/ || !$accepted{$1} } grep { !/ERROR:  23505: .*"\w*orders\w*"/ } grep { /ERROR:|FATAL:|WARNING:|PANIC:/ } split /\n/, $errors;
	my @differing = grep { $_ ne '0' } $output =~ /^differences: (\d+)/gm;
	return 0 unless @wrong || @differing;
	fail("$what: nothing goes wrong");
	diag("CLIENTELE_SEED=$seed");
	diag(join("\n", splice(@wrong, 0, 5))) if @wrong;
	diag("differences within a transaction: @differing") if @differing;
	return 1;
}

# All transactions have ended.
my $parallel = q{SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET } . ($node->pg_version >= 16 ? 'debug_parallel_query' : 'force_parallel_mode') . ' = on';
sub is_exact
{
	my ($watcher, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ask($watcher, chance(20) ? $parallel : 'RESET max_parallel_workers_per_gather; RESET ' . ($node->pg_version >= 16 ? 'debug_parallel_query' : 'force_parallel_mode'));
	my $differences = ask($watcher, 'SELECT store, customer_id, how, profile, category_mix FROM differences ORDER BY 1, 2, 3 LIMIT 8');
	my $ok = is($differences, '', "$what: the store shows what a recount gives");
	diag("CLIENTELE_SEED=$seed") unless $ok;
	return $ok;
}

# What a check of a store finds, but what is the shop's own business.
sub findings { my ($arguments) = @_; return "SELECT * FROM clientele.check_store($arguments) WHERE finding NOT IN ('unmatched_refund', 'unknown_customer', 'duplicate_order', 'duplicate_customer')"; }

sub maintain
{
	my ($watcher, $shop, $when, $what) = @_;
	my $store = one_of(sort keys %{ $shop->{stores} });
	my $call = one_of(("CALL clientele.refresh('$store')") x 3, ("CALL clientele.refresh('$store', true)") x 2, $when eq 'near' ? () : (findings("'$store'"), findings("'$store', repair => true"), findings("'$store', 0.5, true")));
	my $ok = is(ask($watcher, $call), '', "$what: $call");
	diag("CLIENTELE_SEED=$seed") unless $ok;
	return $ok;
}

sub quiet_check
{
	my ($watcher, $shop, $when, $what) = @_;
	return 0 unless is_exact($watcher, $what);
	for my $store (sort keys %{ $shop->{stores} })
	{
		is(ask($watcher, "SELECT stale FROM clientele.stores WHERE store = '$store'"), '', "$what: $store is not stale");
		is(ask($watcher, "SELECT count(*) FROM $store.failures"), '0', 'nothing failed');
		is(ask($watcher, findings("'$store'")), '', 'and a check finds nothing');
		next if $when eq 'near';
		# The customer of an order whose lines changed is sure when all transactions of then have ended, so it takes two.
		is(ask($watcher, "CALL clientele.refresh('$store'); CALL clientele.refresh('$store')"), '', 'a refresh');
		is(ask($watcher, "SELECT count(*) FROM $store.pending WHERE due <= now()"), '0', 'leaves nothing pending');
		is(ask($watcher, "SELECT count(*) FROM (SELECT customer_id, clientele.order_profile_send(profile), category_mix FROM $store.profiles
			EXCEPT ALL SELECT customer_id, clientele.order_profile_send(profile), category_mix FROM $store._profiles_at(now())) d"), '0', 'and profiles that are exact');
	}
	return is_exact($watcher, "$what, after a refresh");
}

# Sessions take turns, step by step: the same seed gives the same history.
sub take_turns
{
	my ($shop, $count, %with) = @_;
	my $what = "$shop->{name}, in turns, $with{when}";
	my @client = map { session($node, 'postgres') } 0 .. $sessions;
	my $watcher = pop @client;
	# Some sessions ask workers to fold what is pending, too.
	ask($_, "SET statement_timeout = '30s'; SET search_path = $shop->{name}; SET clientele.fold_pending_at = " . one_of('-1', '0', "'8kB'")) for @client, $watcher;
	$_->query('\set QUIET off') for @client;
	my (@steps, @level);
	my $fine = 1;
	my $step = sub {
		my ($s) = @_;
		my $output = $client[$s]->query(script(@{ (shift @{ $steps[$s] })->{sql} }));
		$fine = 0 if account_for($output, $client[$s]{stderr}, $level[$s], "$what, session $s");
		$client[$s]{stderr} = '';
	};
	my $end_all = sub { for my $s (0 .. $#client) { $step->($s) while $fine && @{ $steps[$s] // [] }; } };
	my $from = $executed;
	my $checked = $executed;
	while ($fine && $executed - $from < $count)
	{
		my $s = int rand $sessions;
		unless (@{ $steps[$s] // [] })
		{
			$level[$s] = one_of(('READ COMMITTED') x 5, ('REPEATABLE READ') x 2, 'SERIALIZABLE');
			$steps[$s] = [ transaction($shop, $s, $level[$s], %with) ];
			if ($steps[$s][0]{alone}) { my $alone = delete $steps[$s]; $end_all->(); $steps[$s] = $alone; }
		}
		$step->($s);
		# While transactions are open.
		if (chance(10)) { $fine &&= maintain($watcher, $shop, $with{when}, $what); }
		if ($with{check} && chance(4)) { $fine &&= is_exact($watcher, "$what, while orders are being placed"); }
		next if $executed - $checked < 150;
		$checked = $executed;
		$end_all->();
		$fine &&= quiet_check($watcher, $shop, $with{when}, $what);
	}
	$end_all->();
	# Not live for a while.
	ask($watcher, "SELECT clientele.set_live('$_', false)") for sort keys %{ $shop->{stores} };
	for my $s (0 .. $#client) { $level[$s] = 'READ COMMITTED'; $steps[$s] = [ { sql => [ map { statement($shop, $s, $with{when}) } 1 .. 3 ] } ]; }
	$end_all->();
	is(ask($watcher, "SELECT clientele.set_live('$_', true)"), '', "$what: $_ goes live again") for sort keys %{ $shop->{stores} };
	$fine &&= is_exact($watcher, "$what, after it was not live for a while") && quiet_check($watcher, $shop, $with{when}, $what);
	$_->quit for @client, $watcher;
	return $fine;
}

# Sessions run freely, as fast as they can, beside one that refreshes and looks.
sub run_freely
{
	my ($shop, $count, %with) = @_;
	my $what = "$shop->{name}, at once, $with{when}";
	my $watcher = session($node, 'postgres');
	ask($watcher, "SET statement_timeout = '30s'; SET search_path = $shop->{name}");
	my $from = $executed;
	my $fine = 1;
	my $round = 0;
	while ($fine && $executed - $from < $count)
	{
		my (@running, @levels);
		for my $s (0 .. $sessions)
		{
			my @sql;
			my $level = ('READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')[ ($s + $round) % 4 ];
			if ($s < $sessions) { push @sql, map { @{ $_->{sql} } } transaction($shop, $s, $level, %with) while @sql < 100; }
			else
			{
				$level = 'READ COMMITTED';
				for my $store ((sort keys %{ $shop->{stores} }) x 4) { push @sql, "CALL clientele.refresh('$store'" . one_of('', '', ', true') . ')', $with{check} ? $asked : (), 'SELECT pg_sleep(0.01)'; }
			}
			my $file = $node->basedir . "/session$s.sql";
			unlink $file;
			append_to_file($file, script("SET statement_timeout = '30s'", "SET search_path = $shop->{name}", 'SET clientele.fold_pending_at = ' . one_of('-1', '0', "'8kB'"), @sql, ''));
			my ($output, $errors) = ('', '');
			push @running, [ IPC::Run::start([ 'psql', '-XAt', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres'), '-f', $file ], '>', \$output, '2>', \$errors), \$output, \$errors, $level ];
		}
		for my $s (0 .. $sessions)
		{
			my ($run, $output, $errors, $level) = @{ $running[$s] };
			$run->finish;
			$fine = 0 if account_for($$output, $$errors, $level, "$what, session $s");
		}
		$fine &&= quiet_check($watcher, $shop, $with{when}, $what);
		$round++;
	}
	$watcher->quit;
	return $fine;
}

my $each = $wanted / (4 * keys %shop);
for my $name (sort keys %shop)
{
	my $started = time;
	create_shop_of($name);
	my $shop = $shop{$name};
	my $fine = take_turns($shop, $each, when => 'past', check => 1, truncate => 1)
	  && run_freely($shop, $each, when => 'past', check => 1)
	  && take_turns($shop, $each, when => 'near', truncate => 1)
	  && run_freely($shop, $each, when => 'near', truncate_beside => 1);
	note sprintf('%s: %.1f s', $name, time - $started);
	last unless $fine;
}
note join(', ', map { "$executed{$_} $_" } sort keys %executed);
cmp_ok($executed, '>=', $wanted, 'as many statements as were asked for');
is(complaints($node), '', 'the server has nothing to complain of');

done_testing();
