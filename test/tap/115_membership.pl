# The history of segments under several sessions: recordings wait for one another and for nobody else, and leave neither
# overlaps nor gaps; a snapshot that is too old is a serialization failure. Questions about two times use an index.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('membership', "autovacuum = off\n");
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres', customers => 400);
create_store($node, 'postgres');
$node->safe_psql('postgres', q{CALL clientele.record_segments('shop')});

my $record = q{CALL clientele.record_segments('shop')};
my ($one, $other, $third) = map { session($node, 'postgres') } 1 .. 3;
ask($_, q{SET lock_timeout = '10s'; SET statement_timeout = '20s'}) for $one, $other, $third;

# The open intervals are the view, and a customer's intervals follow one another without overlap or repetition.
sub sound
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	same_rows($node, 'postgres', 'TABLE shop.segments',
		'SELECT customer_id, segmentation, segment FROM shop.segment_membership WHERE valid_to IS NULL', "$name: the open intervals are the view");
	return is($node->safe_psql('postgres', q{SELECT count(*) FROM (
			SELECT *, lead(valid_from) OVER w AS next_from, lead(segment) OVER w AS next_segment FROM shop.segment_membership
			WINDOW w AS (PARTITION BY customer_id, segmentation ORDER BY valid_from)) i
		WHERE coalesce(valid_to, 'infinity') > next_from OR valid_to = next_from AND segment = next_segment}), '0', "$name: all intervals are sound");
}

sub change { my ($customer) = @_; return "UPDATE customers SET children = 5 - coalesce(children, 0) WHERE customer_id = $customer"; }

# ---- Two at once ----

ask($one, "BEGIN; @{[ change(1) ]}; INSERT INTO customers VALUES (1001, 'new', 3); $record");
my $pid = ask($other, 'SELECT pg_backend_pid()');
begin_asking($other, $record);
ok($node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid"), 'a second recording waits for the first');
is(ask($third, 'SELECT count(*) FROM shop.segment_membership WHERE customer_id = 1001'), '0', 'a reader does not');
is(ask($third, q{SELECT clientele.define_segment('shop', 'babies', 'children = 1', segmentation => 'age')}), '', 'nor does who defines');
is(ask($third, q{SELECT clientele.assign_segment(1, segmentation => 'age')}), 'babies', 'nor a look-up');
is(ask($third, change(2)), '', 'nor who changes customers');
is(ask($one, 'COMMIT'), '', 'the first is done');
is(ask($other, 'SELECT 1'), '1', 'and so is the second');
sound('two at once');

# ---- A snapshot from before ----

my $look = 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM customers';
ask($one, $look);
ask($other, $record);
is(ask($one, "@{[ change(4) ]}; $record; COMMIT"), '', 'repeatable read: another recording that found nothing is no obstacle');
ask($one, $look);
ask($other, "UPDATE customers SET children = 5 - coalesce(children, 0) WHERE customer_id BETWEEN 5 AND 60; $record");
like(ask($one, "@{[ change(4) ]}; $record"), qr/ERROR:  40001: could not serialize access/, 'one that has numbered events since is a serialization failure');
ask($one, 'ROLLBACK');

# Every session sees at once that a segmentation came or went, so both write its intervals.
for my $change (q{drop_segment('shop', 'babies', 'age')}, q{define_segment('shop', 'babies', 'children = 1', segmentation => 'age')})
{
	ask($one, $look);
	ask($other, "SELECT clientele.$change; $record");
	like(ask($one, $record), qr/ERROR:  40001: could not serialize access/, "repeatable read: about the same ones it is a serialization failure ($change)");
	ask($one, 'ROLLBACK');
}
is(ask($one, "BEGIN ISOLATION LEVEL REPEATABLE READ; @{[ change(6) ]}; $record; COMMIT"), '', 'and without another there is none');
sound('repeatable read');

# ---- Many at once ----

$node->pgbench('--no-vacuum --client=4 --transactions=60', 0, [ qr{240/240} ], [ qr/^$/ ], 'four sessions change customers and record',
	{ '115_membership' => q{
		\set customer random(1, 400)
		\set what random(1, 20)
		\if :what = 1
			DELETE FROM customers WHERE customer_id = :customer;
		\elif :what = 2
			INSERT INTO customers VALUES (:customer, 'back', 3) ON CONFLICT DO NOTHING;
		\elif :what = 3
			SELECT clientele.define_segment('shop', 'evening', 'evening_share > ' || :customer / 1000.0);
		\else
			UPDATE customers SET children = :customer % 5 WHERE customer_id BETWEEN :customer AND :customer + 20;
		\endif
		CALL clientele.record_segments('shop');
	}});
$node->safe_psql('postgres', $record);
sound('many at once');

# ---- Cut short ----

my $history = $node->safe_psql('postgres', 'SELECT count(*), md5(string_agg(m::text, E\'\n\' ORDER BY m)) FROM shop.segment_membership m');
ask($one, "BEGIN; DELETE FROM customers WHERE customer_id < 200; $record");
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*), md5(string_agg(m::text, E\'\n\' ORDER BY m)) FROM shop.segment_membership m'), $history,
	'a crash leaves the history as it was');
sound('after a crash');

# ---- Plans ----

$node->safe_psql('postgres', q{
	INSERT INTO shop.segment_membership
		SELECT c, 'old', 's' || n % 7, timestamptz '2020-01-01' + make_interval(days => n * 10, hours => c % 200), timestamptz '2020-01-01' + make_interval(days => n * 10 + 10, hours => c % 200)
		FROM generate_series(1, 1000) c, generate_series(1, 40) n;
	ANALYZE shop.segment_membership});
for my $side ([ 'entries', 'valid_from' ], [ 'exits', 'valid_to' ])
{
	my ($index, $column) = @$side;
	for my $segment (q{segmentation = 'old' AND segment = 's3' AND}, q{segmentation = 'old' AND})
	{
		like($node->safe_psql('postgres', "EXPLAIN SELECT customer_id FROM shop.segment_membership
			WHERE $segment $column >= '2020-07-01' AND $column < '2020-07-04'"), qr/segment_membership_$index/, "$index of a few days, $segment: by an index");
	}
}

$node->stop;
done_testing();
