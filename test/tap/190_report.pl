# The report where it is read: under one snapshot, on a standby, until it is cancelled. And what BI tools ask: the queries of the Grafana
# dashboard run and have types that drivers know, and no view for readers has a column of a composite type.
use strict;
use warnings;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('report');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "jit = off\ntimezone = 'UTC'\n");
$node->start;
my $sql = sub { return $node->safe_psql('postgres', @_) };
$sql->('CREATE EXTENSION clientele');
create_shop($node, 'postgres', customers => 400);
create_store($node, 'postgres');
$sql->(q{SELECT clientele.alter_offer('shop', program, holdout => 0.2, budget => 10000) FROM shop.programs; CALL clientele.refresh('shop');
	CALL clientele.issue_offers('shop'); CALL clientele.record_segments('shop');
	SELECT count(clientele.content_for(customer_id, 'home', 'shop', expose => true)) FROM customers});
my $customers = q{SELECT substring(clientele.report_html('shop') FROM '<h3>([^<]*) customers have ordered')};

# ---- One snapshot ----

my $reader = session($node, 'postgres');
ask($reader, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
my $before = ask($reader, $customers);
$sql->(q{INSERT INTO customers SELECT 1000 + n, 'x' || n FROM generate_series(1, 50) n;
	INSERT INTO orders SELECT 1000000 + n, 1000 + n, now() - interval '1 hour', 30, 'completed' FROM generate_series(1, 50) n; CALL clientele.refresh('shop')});
is(ask($reader, $customers), $before, 'a page is of the snapshot of its transaction');
ask($reader, 'COMMIT');
is(ask($reader, $customers), $before + 50, 'and the next one of what came meanwhile');
$reader->quit;

# ---- A standby ----

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', $customers), $before + 50, 'a standby makes the page, too');
is($standby->safe_psql('postgres', q{SELECT clientele.report_html('shop') ~ 'cannot be shown: (?!too few|store shop uses no model|program)'}), 'f',
	'with all of its figures');
$standby->stop;

# ---- Cancelled ----

# The view that takes its time is the owner's; each figure's failure is caught but not this one.
$sql->(q{CREATE FUNCTION shop.slow(text) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT pg_sleep(0.2) IS NOT NULL';
	ALTER VIEW shop.budget_status RENAME TO kept; CREATE VIEW shop.budget_status AS SELECT b.* FROM shop.kept b WHERE shop.slow(b.program)});
my ($status, undef, $error) = $node->psql('postgres', q{SET statement_timeout = 100; SELECT clientele.report_html('shop')});
like($error, qr/canceling statement due to statement timeout/, 'a page that takes long can be cancelled');
$sql->('DROP VIEW shop.budget_status; ALTER VIEW shop.kept RENAME TO budget_status');

# ---- What BI tools ask ----

my $dashboard = decode_json(slurp_file('contrib/grafana/clientele.json'));
my $known = 'text|bigint|integer|numeric|double precision|boolean|date|timestamp with time zone';
for my $panel (@{ $dashboard->{panels} })
{
	my $query = $panel->{targets}[0]{rawSql};
	$query =~ s/\$\{store\}/shop/g;
	$query =~ s/\$__timeFilter\(([\w.]+)\)/$1 BETWEEN now() - interval '90 days' AND now()/g;
	unlike($query, qr/\$/, "$panel->{title}: all of Grafana's variables are replaced");
	my ($rc, $rows, $problem) = $node->psql('postgres', $query);
	is($problem, '', "$panel->{title}: the query runs");
	my $types = $sql->("CREATE TEMP VIEW panel AS $query;
		SELECT string_agg(attname || ' ' || format_type(atttypid, NULL), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'panel'::regclass");
	like($types, qr/^(?:[^,]* (?:$known)(?:, |$))+$/, "$panel->{title}: types that drivers know");
	like($types, qr/^time timestamp with time zone, metric text, value bigint$/, "$panel->{title}: a series") if $panel->{targets}[0]{format} eq 'time_series';
	isnt($rows, '', "$panel->{title}: shows something") unless $panel->{title} eq 'Who enters which segment, by day' || $panel->{title} =~ /^Budgets/;
}
my ($watched) = slurp_file('docs/bi.md') =~ /^```sql watch\n(.*?) \\watch/ms;
isnt($sql->($watched), '', 'what docs/bi.md watches is there');
my ($copied) = slurp_file('docs/bi.md') =~ /^```sql copy\n(.*?)^```/ms;
my $csv = PostgreSQL::Test::Utils::tempdir() . '/segments.csv';
$copied =~ s/segments\.csv/$csv/;
$sql->($copied);
like(slurp_file($csv), qr/^segment,customers,total_spent\naverage,\d+,[\d.]+\n/, 'and what it copies is a file with a header');
is($sql->(q{SELECT string_agg(a.attrelid::regclass || '.' || a.attname, ' ') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	JOIN pg_type t ON t.oid = a.atttypid WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind = 'v' AND c.relname !~ '^_' AND t.typtype = 'c'}),
	'', 'no view for readers has a composite column');

is(complaints($node), '', 'nothing unexpected in the log');
done_testing();
