# kill -9 of the whole server, again and again, while definitions are applied: all of a document is there afterwards, or none of it.
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

my $node = new_server('definitions', "log_min_error_statement = panic\n");
$node->safe_psql('postgres', 'CREATE EXTENSION clientele');
create_shop($node, 'postgres', customers => 200);
create_store($node, 'postgres');

# Two documents that differ in every kind of definition: names, priorities and the default segment change hands.
$node->safe_psql('postgres', q{
	CREATE TABLE documents (name text PRIMARY KEY, definitions jsonb);
	INSERT INTO documents VALUES ('one', clientele.export_definitions('shop')), ('other', jsonb_build_object('format', 1, 'global_holdout', 0.2,
		'rfm_breaks', '{"r": [1, 2, 3, 4], "f": [1, 2, 3, 4], "m": [10, 20, 30, 40]}'::jsonb,
		'segmentations', jsonb_build_array(jsonb_build_object('segmentation', 'main', 'default_segment', 'families', 'segments',
				'[{"segment": "average", "rule": "children > 2", "priority": 10, "sensitive": true}, {"segment": "new", "rule": "orders = 1", "priority": 20}]'::jsonb),
			jsonb_build_object('segmentation', 'many', 'default_segment', 'default', 'segments',
				(SELECT jsonb_agg(jsonb_build_object('segment', 's' || n, 'rule', 'orders = ' || n, 'priority', n)) FROM generate_series(1, 150) n))),
		'contents', '[{"slot": "home", "content": "post D"}, {"slot": "home", "content": "post E", "segment": "average"}]'::jsonb,
		'programs', '[{"program": "stretch", "objective": "grow_order_value", "segments": ["average"], "disclosure": "Because ...", "priority": 10, "budget": 100},
			{"program": "back", "objective": "win_back", "priority": 20}, {"program": "third", "objective": "second_order", "segments": ["new"], "priority": 30}]'::jsonb))});
sub apply { return "SELECT count(*) FROM clientele.apply_definitions('shop', (SELECT definitions FROM documents WHERE name = '$_[0]'), prune => true)"; }
$node->safe_psql('postgres', apply('other'));
$node->safe_psql('postgres', q{UPDATE documents SET definitions = clientele.export_definitions('shop') WHERE name = 'other'});

# One after the other, with a look at what the next would change in between.
my %next = (one => 'other', other => 'one');
my %script = map { $_ => $node->basedir . "/apply_$_.sql" } keys %next;
append_to_file($script{$_}, join('', map { apply($_) . ";\n\\echo $_\n" . apply($next{$_}) =~ s/prune => true/prune => true, dry_run => true/r . ";\n" } ($_, $next{$_}) x 200)) for keys %next;
my ($kills, $applied, $name, %found) = (0, 0, 'other');
for my $round (1 .. 20)
{
	my ($output, $errors) = ('', '');
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $script{$next{$name}} ], '>', \$output, '2>', \$errors, IPC::Run::timeout(60));
	usleep(1000 * (600 + rand 2000));
	kill_everything($node);
	$kills++;
	eval { $run->finish };
	unlike($errors, qr/^(?!.*(?:terminat|connection|server closed|crash|recovery|shutdown|starting up|PID|another server process|roll back)).*(?:ERROR|FATAL)/m, "round $round: until then nothing fails");
	$node->start;

	$name = $node->safe_psql('postgres', q{SELECT name FROM documents WHERE definitions::text = clientele.export_definitions('shop')::text});
	like($name, qr/^(one|other)$/, "round $round: all of a document is there, or none of it");
	$found{$name}++;
	my @acknowledged = $output =~ /^(one|other)$/gm;
	$applied += @acknowledged;
	# What was acknowledged, or what came next, whose commit nobody was told of.
	is($node->safe_psql('postgres', apply($name)), '0', 'and nothing is missing');
	same_rows($node, 'postgres', 'SELECT customer_id, segment FROM shop.customers', q{SELECT customer_id, segment FROM shop.segments WHERE segmentation = 'main'}, 'the views agree');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM shop.programs p WHERE NOT EXISTS (SELECT FROM shop.program_versions v
		WHERE v.program = p.program AND v.version = p.version AND v.definition ->> 'objective' = p.objective)}), '0', 'each program is one of its versions');
}
note "killed $kills times; applied $applied times; found: " . join(', ', map { "$_ $found{$_}" } sort keys %found);
cmp_ok($applied, '>=', $kills, 'while definitions were being applied');
is(join(' ', sort keys %found), 'one other', 'each of them was found');
is($node->safe_psql('postgres', apply($_)) =~ /^\d+$/, 1, "document $_ can be applied") for 'one', 'other';
is(complaints($node), '', 'the server has nothing to complain of');

# ---- Two who apply at once wait for each other; who reads waits for nobody ----

my ($first, $second, $reader) = map { session($node, 'postgres') } 1 .. 3;
ask($first, 'BEGIN');
ask($first, apply('one'));
my $pid = ask($second, 'SELECT pg_backend_pid()');
begin_asking($second, apply('other'));
waits_for_lock($node, 'postgres', $pid);
ask($reader, q{SET statement_timeout = '5s'});
like(ask($reader, 'SELECT count(*) FROM shop.campaign'), qr/^\d+$/, 'a reader does not wait');
ask($first, 'COMMIT');
like(ask($second, 'SELECT 1'), qr/^[1-9]\d*\n?1?/, 'the second changes it after the first');
is($node->safe_psql('postgres', q{SELECT name FROM documents WHERE definitions::text = clientele.export_definitions('shop')::text}), 'other', 'and has the last word');
$_->quit for $first, $second, $reader;

# ---- The work-flow of docs/definitions.md, as it stands there ----

my $page = slurp_file('docs/definitions.md');
my $directory = $node->basedir . '/repository';
mkdir $directory;
my ($sql) = $page =~ /^```sql file\n(.*?)^```\n/ms;
append_to_file("$directory/apply.sql", $sql);
my @steps = $page =~ /^```sh\n(.*?)^```\n/msg;
is(scalar @steps, 4, 'export, try, apply, copy');
# A shop, and a test database over tables of the same columns.
for my $database ('shop', 'shop_test')
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION clientele');
	create_shop($node, $database, customers => 100);
}
create_store($node, 'shop');
$node->safe_psql('shop_test', q{SELECT clientele.create_store('shop', orders => 'public.orders', customers => 'public.customers', attributes => '{children,birth_date}', items => 'public.order_items')});
# What a step prints, and whether it succeeds.
sub step
{
	my ($number) = @_;
	my ($output, $errors) = ('', '');
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	my $success = IPC::Run::run([ 'sh', '-ec', "cd '$directory'\n$steps[$number]" ], '>', \$output, '2>', \$errors);
	return $success ? $output : "failed: $errors";
}
sub edit
{
	my ($from, $to) = @_;
	my $text = slurp_file("$directory/shop.json");
	$text =~ s/\Q$from\E/$to/ or die "no $from";
	unlink "$directory/shop.json";
	append_to_file("$directory/shop.json", $text);
	return;
}
is(step(0), '', 'the repository begins with what there is');
like(step(1), qr/\(0 rows\)/, 'so there is nothing to do');
edit('"rule": "total_spent > (200)::numeric"', '"rule": "total_spent > 300"');
edit('"holdout": 0.1', '"holdout": 0.15');
like(step(1), qr/segment *\| value\/big *\| change.*program *\| stretch *\| change *\| \{"holdout": 0\.1\} *\| \{"holdout": 0\.15\}.*\(2 rows\)/s, 'an edit is shown in CI');
is($node->safe_psql('shop', q{SELECT version, holdout FROM shop.programs WHERE program = 'stretch'}), '1|0.1', 'and not done');
like(step(2), qr/\(2 rows\)/, 'on merge it is applied');
is($node->safe_psql('shop', q{SELECT version, holdout FROM shop.programs WHERE program = 'stretch'}), '2|0.15', 'as a new version');
like(step(1), qr/\(0 rows\)/, 'once');
edit('"rule": "total_spent > 300"', '"rule": "total_sent > 300"');
like(step(1), qr/failed: .*ERROR: .*total_sent/s, 'CI fails where it cannot be applied');
like(step(3), qr/create.*\(\d+ rows\)/s, 'production is copied into the test database');
is($node->safe_psql('shop_test', q{SELECT clientele.export_definitions('shop')::text}), $node->safe_psql('shop', q{SELECT clientele.export_definitions('shop')::text}), 'exactly');

$node->stop('fast');
done_testing();
