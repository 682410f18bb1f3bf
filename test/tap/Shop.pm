# What the TAP tests share: a server, a shop with a store over it, and short ways to ask and to be refused.
package Shop;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(new_server create_shop create_store session ask begin_asking waits_for_lock same_rows differences exact refused kill_everything complaints);

sub new_server
{
	my ($name, $settings, %init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(%init);
	# A parallel plan where no test asks for one would only make it slower.
	$node->append_conf('postgresql.conf', "jit = off\ntimezone = 'UTC'\nmax_parallel_workers_per_gather = 0\nlog_error_verbosity = verbose\n");
	$node->append_conf('postgresql.conf', $settings) if defined $settings;
	$node->start;
	return $node;
}

# A shop's own tables. Customer c has c % 7 orders; every seventh customer has none.
sub create_shop
{
	my ($node, $database, %with) = @_;
	my $customers = $with{customers} // 1000;
	$node->safe_psql($database, qq{
		CREATE TABLE customers (
			customer_id bigint PRIMARY KEY, email text NOT NULL, children integer, birth_date date);
		CREATE TABLE orders (
			order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz NOT NULL, amount numeric(12,2), status text NOT NULL);
		CREATE TABLE order_items (
			order_id bigint NOT NULL, category text NOT NULL, amount numeric(12,2));
		INSERT INTO customers
			SELECT c, 'c' || c || '\@example.com', nullif(c % 5, 4), date '1950-01-01' + (c * 31 % 18000)::integer
			FROM generate_series(1, $customers) c;
		INSERT INTO orders
			SELECT row_number() OVER (ORDER BY n, c), c,
				date_trunc('day', now()) - make_interval(days => (c * 3 % 40 + n * 11)::integer, hours => (c * n % 24)::integer),
				20 + (c * 37 + n * 11) % 60 + n / 4.0,
				CASE WHEN (c + n) % 17 = 0 THEN 'cancelled' ELSE 'completed' END
			FROM generate_series(1, $customers) c, generate_series(1, c % 7) n;
		INSERT INTO order_items
			SELECT o.order_id, CASE (o.customer_id + i) % 4 WHEN 0 THEN 'baby' WHEN 1 THEN 'wine' ELSE 'grocery' END, o.amount / 2
			FROM orders o, generate_series(1, 2) i;
		CREATE INDEX ON orders (customer_id);
		CREATE INDEX ON order_items (order_id);
		ANALYZE customers, orders, order_items;
	}, extra_params => $with{extra_params} // []);
	return;
}

# A store over it, with two segmentations, content for a slot, and three programs.
sub create_store
{
	my ($node, $database, %with) = @_;
	my $store = $with{store} // 'shop';
	my $live = $with{live} ? 'true' : 'false';
	$node->safe_psql($database, qq{
		SET client_min_messages = warning;
		SELECT clientele.create_store('$store', orders => 'public.orders', order_filter => \$\$status = 'completed'\$\$,
			customers => 'public.customers', attributes => '{children,birth_date}', items => 'public.order_items',
			time_zone => 'America/New_York', live => $live);
		CALL clientele.refresh('$store');
		SELECT clientele.define_segment('$store', 'families', 'category_share(category_mix, ''baby'') >= 0.4 OR children > 2', priority => 10),
			clientele.define_segment('$store', 'evening', 'evening_share > 0.3', priority => 20),
			clientele.set_default_segment('$store', 'average'),
			clientele.define_segment('$store', 'big', 'total_spent > 200', segmentation => 'value');
		SELECT clientele.define_content('$store', 'home', 'post A', 'families'), clientele.define_content('$store', 'home', 'post C');
		SELECT clientele.define_offer('$store', 'second', 'second_order', priority => 10),
			clientele.define_offer('$store', 'stretch', 'grow_order_value', holdout => 0.1, priority => 20),
			clientele.define_offer('$store', 'back', 'win_back', priority => 30);
		CALL clientele.refresh('$store');
		ANALYZE $store.profiles;
	}, extra_params => $with{extra_params} // []);
	return;
}

# A session that stays open; user => 'name' connects as that role.
sub session
{
	my ($node, $database, %with) = @_;
	my @user = defined $with{user} ? ('-U', $with{user}) : ();
	return $node->background_psql($database, on_error_stop => 0, extra_params => [ @user, '-v', 'VERBOSITY=verbose' ]);
}

# What a session answers, or the error that it gets.
sub ask
{
	my ($session, $query) = @_;
	$session->{stderr} = '';
	my ($answer) = $session->query($query);
	return $session->{stderr} eq '' ? $answer : $session->{stderr};
}

# Sends a query without waiting for the answer, which the next ask() returns with its own.
sub begin_asking
{
	my ($session, $query) = @_;
	$session->{stderr} = '';
	$session->query_until(qr/on its way/, "\\echo on its way\n$query;\n");
	return;
}

# Waits until a session waits for a lock.
sub waits_for_lock
{
	my ($node, $database, $pid) = @_;
	return $node->poll_query_until($database, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
}

# The number of customers in whom what a live store shows differs from a recount of its orders, to the last bit.
sub differences
{
	my ($store) = @_;
	my ($shown, $counted) = map { "SELECT customer_id, clientele.order_profile_send(profile), category_mix FROM $store.$_" } '_profiles_now()', '_profiles_at(now())';
	return "SELECT count(*) FROM (($shown EXCEPT ALL $counted) UNION ALL ($counted EXCEPT ALL $shown)) d";
}

# There are none.
sub exact
{
	my ($node, $database, $store, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->safe_psql($database, differences($store)), '0', $name);
}

# Two queries give the same rows, and there are some.
sub same_rows
{
	my ($node, $database, $one, $other, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($node->safe_psql($database, qq{
		WITH one AS MATERIALIZED ($one), other AS MATERIALIZED ($other)
		SELECT (SELECT count(*) > 0 FROM one), (SELECT count(*) FROM (SELECT * FROM one EXCEPT ALL SELECT * FROM other) d),
			(SELECT count(*) FROM (SELECT * FROM other EXCEPT ALL SELECT * FROM one) d)}), 't|0|0', $name);
}

# A query fails with this SQLSTATE and a message like this; what was learnt by it is returned.
sub refused
{
	my ($node, $database, $query, $state, $message, $name, %with) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @user = defined $with{user} ? ('-U', $with{user}) : ();
	my ($status, $answer, $error) =
	  $node->psql($database, $query, extra_params => [ @user, '-v', 'VERBOSITY=verbose' ]);
	like($error, qr/ERROR:  $state: $message/, $name) or diag("answer: $answer");
	return $error;
}

# It may end at any time, also between a look at whether there is such a file and reading it.
sub is_running
{
	my ($pid) = @_;
	my $stat = eval { slurp_file("/proc/$pid/stat") } // return 0;
	return $stat !~ /\) Z/;
}

# The processes of the server, the postmaster first.
sub processes
{
	my ($node) = @_;
	my ($postmaster) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
	my @children;
	for my $file (glob '/proc/[0-9]*/stat')
	{
		my $stat = eval { slurp_file($file) } // next;
		push @children, $1 if $stat =~ /^(\d+) \(.*\) \S (\d+) /s && $2 == $postmaster;
	}
	return ($postmaster, @children);
}

# kill -9 of the whole server, which has ended when this returns.
sub kill_everything
{
	my ($node) = @_;
	# The postmaster neither starts others any more, nor do they see it end before them.
	kill 'STOP', (processes($node))[0];
	my @pids = reverse processes($node);
	kill 'KILL', @pids;
	$node->kill9;
	for my $pid (@pids) { for (1 .. 500) { last unless is_running($pid); usleep(10_000); } }
	# Where nobody takes note of its end, a process is taken to be alive.
	unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock' if grep { -e "/proc/$_/stat" } @pids;
	return;
}

# What a server's log says of internal errors, deadlocks, leaks and crashes.
sub complaints
{
	my ($node) = @_;
	my @lines = grep { /(?:ERROR|FATAL|PANIC):  (?:XX\d{3}|40P01)|PANIC:|TRAP:|reference leak|was not closed|terminated by signal/ } split /\n/, slurp_file($node->logfile);
	return join("\n", map { substr($_, 0, 300) } @lines);
}

1;
