# Events under many writers: no consumer ever misses one because its transaction committed late; consumers that crash see the same again;
# a folding worker writes them, too; who listens is told; a subscriber gets them; and a script hands them to a mailing tool.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = new_server('events', "max_connections = 100\nwal_level = logical\nmax_wal_senders = 4\nmax_replication_slots = 4\nfsync = off\n");
my $db = 'postgres';
my $sql = sub { return $node->safe_psql($db, @_) };
$sql->('CREATE EXTENSION clientele');
create_shop($node, $db, customers => 600);
create_store($node, $db);
$sql->(q{CALL clientele.record_segments('shop'); SELECT clientele.add_consumer('shop', 'mail'), clientele.add_consumer('shop', 'slow', from_start => true)});

# ---- 64 writers, and a reader that acknowledges what it has seen ----

my $start = $sql->(q{SELECT last_event FROM shop.event_counter});
my $script = $node->basedir . '/record.sql';
append_to_file($script, q{
	\set customer random(1, 600)
	BEGIN;
	UPDATE customers SET children = (coalesce(children, 0) + 3) % 6 WHERE customer_id = :customer;
	CALL clientele.record_segments('shop');
	SELECT pg_sleep(random() * 0.002);
	COMMIT;
});
my $pgbench = IPC::Run::start([ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', 64, '-j', 2, '-t', 12, '-f', $script, $db ],
	'>', \my $out, '2>', \my $err);
my ($reader, @seen) = (session($node, $db));
my $deadline = time + 120;
my $read = sub {
	my ($ids) = ask($reader, q{SELECT string_agg(event_id::text, ' ' ORDER BY event_id) FROM clientele.read_events('shop', 'mail', 50)});
	return 0 if $ids !~ /\d/;
	my @ids = split / /, $ids;
	push @seen, @ids;
	ask($reader, "SELECT clientele.ack_events('shop', 'mail', $ids[-1])");
	return 1;
};
while ($pgbench->pumpable && time < $deadline) { $pgbench->pump_nb; usleep(1000) unless $read->(); }
$pgbench->finish;
like($out, qr/actually processed: 768\/768/, '64 writers record') or diag($err);
while ($read->()) { }
my $last = $sql->(q{SELECT last_event FROM shop.event_counter});
cmp_ok($last, '>', $start + 300, 'and there are events');
is_deeply(\@seen, [ $start + 1 .. $last ], 'a reader that acknowledges all along has seen each of them once, in their order, without a gap');
is($sql->(q{SELECT count(*), max(event_id) FROM shop.segment_events}), "$last|$last", 'they are there for the other consumer');
is($sql->(q{SELECT count(*) FROM (SELECT from_segment, lag(to_segment) OVER w AS before, row_number() OVER w AS nth FROM shop.segment_events
		WINDOW w AS (PARTITION BY customer_id, segmentation ORDER BY event_id)) e WHERE nth > 1 AND from_segment IS DISTINCT FROM before}), '0',
	'every event goes on from where the one before it has led');
same_rows($node, $db, 'TABLE shop.segments', q{SELECT DISTINCT ON (customer_id, segmentation) customer_id, segmentation, to_segment FROM shop.segment_events
	ORDER BY customer_id, segmentation, event_id DESC}, 'replayed, they are the segments');

# ---- Locks ----

my ($one, $other) = map { session($node, $db) } 1 .. 2;
ask($one, q{BEGIN; UPDATE customers SET children = 5 WHERE customer_id = 1; CALL clientele.record_segments('shop')});
is(ask($other, q{SET lock_timeout = '5s'; LOCK TABLE shop.segment_membership IN SHARE UPDATE EXCLUSIVE MODE NOWAIT}), '', 'a recording holds no lock that autovacuum waits for') if ask($other, 'BEGIN') eq '';
ask($other, 'ROLLBACK');
is(ask($other, q{SELECT count(*) FROM clientele.read_events('shop', 'mail')}), '0', 'what is not committed is not read');
is(ask($other, q{SELECT clientele.ack_events('shop', 'slow', 1)}), '1', 'who acknowledges does not wait for it');
my $pid = ask($other, 'SELECT pg_backend_pid()');
begin_asking($other, q{CALL clientele.record_segments('shop')});
ok(waits_for_lock($node, $db, $pid), 'another recording does');
ask($one, 'COMMIT');
is(ask($other, 'SELECT 1'), '1', 'until its end');

# ---- Crashes of consumers, and of the server ----

my $look = q{SELECT md5(string_agg(e::text, ' ' ORDER BY event_id)) FROM clientele.read_events('shop', 'slow', 100) e};
my $first = $sql->($look);
my $victim = session($node, $db);
ask($victim, "BEGIN; $look; SELECT clientele.ack_events('shop', 'slow', 50)");
kill_everything($node);
$node->start;
is($sql->($look), $first, 'a consumer that is cut short between reading and acknowledging reads the same again');
is($sql->(q{SELECT count(*), max(event_id) - min(event_id) + 1 = count(*) FROM shop.segment_events WHERE event_id > 1}), ($sql->(q{SELECT last_event FROM shop.event_counter}) - 1) . '|t', 'no number is missing after a crash');
$sql->(q{SELECT clientele.ack_events('shop', 'mail', last_event) FROM shop.event_counter});
is($sql->($look), $first, 'what another consumer acknowledges does not concern it');

# ---- Who listens is told ----

my $told = qr/Asynchronous notification "clientele" with payload "shop"/;
like($sql->(q{LISTEN clientele; INSERT INTO customers VALUES (9001, 'new', 3); CALL clientele.record_segments('shop')}), $told, 'a notification names the store');
unlike($sql->(q{LISTEN clientele; CALL clientele.record_segments('shop')}), $told, 'where nothing has changed, there is none');

# ---- A worker that folds ----

$sql->(q{
	SET client_min_messages = warning;
	CREATE TABLE sales (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
	CREATE INDEX ON sales (customer_id);
	INSERT INTO sales SELECT c, c, now() - interval '3 days', 10 FROM generate_series(1, 2000) c;
	SELECT clientele.create_store('busy', 'sales', live => true);
	SELECT clientele.define_segment('busy', 'regulars', 'orders > 1');
	CALL clientele.refresh('busy');
	SELECT clientele.add_consumer('busy', 'mail')});
$sql->(q{SET clientele.fold_pending_at = 0; INSERT INTO sales SELECT 10000 + c, c, now(), 10 FROM generate_series(1, 700) c});
ok($node->poll_query_until($db, q{SELECT count(*) = 700 FROM clientele.read_events('busy', 'mail') WHERE to_segment = 'regulars'}), 'a worker that folds what is pending writes the events');
is($sql->(q{SELECT count(*) FROM busy.pending}), '0', 'in the transaction that folds');
$sql->(q{CALL clientele.record_segments('busy')});
is($sql->(q{SELECT last_event - 700 FROM busy.event_counter}), '2000', 'and a recording finds nothing else');
$one = session($node, $db);
ask($one, 'BEGIN; SELECT FROM busy.event_counter FOR UPDATE');
$sql->(q{SET clientele.fold_pending_at = 0; SELECT pg_sleep(2.1); INSERT INTO sales SELECT 20000 + c, c, now(), 10 FROM generate_series(701, 800) c});
ok($node->poll_query_until($db, q{SELECT count(*) = 0 FROM busy.pending}), 'it does not wait for who is recording');
ask($one, 'COMMIT');
$sql->(q{CALL clientele.record_segments('busy')});
is($sql->(q{SELECT last_event - 800 FROM busy.event_counter}), '2000', 'and the next recording finds those');

# ---- A subscriber ----

# As the page has it.
my @blocks = slurp_file('docs/events.md') =~ /^```sql events\n(.*?)^```/msg;
is(scalar @blocks, 2, 'the page has two examples that are tested here');
s/shop[.]/busy./g for @blocks;
$sql->($_) for @blocks;
$sql->(q{SELECT pg_create_logical_replication_slot('moves', 'pgoutput')});
$sql->('CREATE DATABASE elsewhere');
$node->safe_psql('elsewhere', 'CREATE SCHEMA busy; CREATE TABLE busy.segment_events (event_id bigint PRIMARY KEY, customer_id bigint, segmentation text, from_segment text, to_segment text, occurred_at timestamptz)');
$node->safe_psql('elsewhere', sprintf q{CREATE SUBSCRIPTION moves CONNECTION 'host=%s port=%s dbname=%s' PUBLICATION segment_moves WITH (create_slot = false, copy_data = false)}, $node->host, $node->port, $db);
$sql->(q{SELECT clientele.define_segment('busy', 'many', 'orders > 2', priority => 5); INSERT INTO sales SELECT 30000 + c, c, now(), 10 FROM generate_series(1, 20) c;
	CALL clientele.record_segments('busy'); DELETE FROM sales WHERE customer_id = 1; SELECT clientele.forget_customer(1, 'busy')});
ok($node->poll_query_until('elsewhere', q{SELECT count(*) = 19 FROM busy.segment_events WHERE to_segment = 'many'}), 'a subscriber gets the events, and forgets whom the store forgets');
$node->safe_psql('elsewhere', 'DROP SUBSCRIPTION moves');

# ---- The script of the documentation ----

$sql->(q{SELECT clientele.add_consumer('busy', 'it''s "the" list')});
$sql->(q{INSERT INTO sales SELECT 40000 + c, c, now(), 10 FROM generate_series(21, 45) c; CALL clientele.record_segments('busy')});
my $list = $node->basedir . '/list';
my @forward = ('contrib/forward-events.sh', 'busy', q{it's "the" list});
{
	local ($ENV{PGHOST}, $ENV{PGPORT}, $ENV{PGDATABASE}, $ENV{MOST}) = ($node->host, $node->port, $db, 10);
	# A tool that takes one batch, and fails in the second after it has taken half of it.
	command_fails([ @forward, 'sh', '-c', "if [ -e $list ]; then head -n 5 >>$list; exit 1; else cat >$list; fi" ], 'a tool that fails ends the script');
	is($sql->(q{SELECT count(*) FROM clientele.read_events('busy', 'it''s "the" list')}), '15', 'what it has taken is acknowledged, and nothing else');
	command_ok([ @forward, 'sh', '-c', "cat >>$list" ], 'the next run goes on');
	command_ok([ @forward, 'false' ], 'and then nothing is left');
}
my @lines = split /\n/, slurp_file($list);
my %customers = map { /"customer_id":"(\d+)".*"to_segment":"many"/ ? ($1 => 1) : () } @lines;
is_deeply([ scalar @lines, scalar keys %customers ], [ 30, 25 ], 'every event reaches the tool, those of the batch that failed twice');

is(complaints($node), '', 'nothing unexpected in the log');
$node->stop;
done_testing();
