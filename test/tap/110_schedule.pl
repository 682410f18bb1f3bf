# The recipes of docs/scheduling.md, read out of the page and run as they stand there: pg_cron, and cron with psql.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

# ---- The page ----

my $page = slurp_file('docs/scheduling.md');

sub blocks { my ($kind) = @_; return $page =~ /^```\Q$kind\E\n(.*?)^```\n/msg; }

my ($configuration) = blocks('ini');
my ($role, $schedule, $runs) = blocks('sql schedule');
my ($crontab) = blocks('crontab');
is_deeply([ map { defined } $configuration, $role, $schedule, $runs, $crontab ], [ (1) x 5 ], 'the page has its recipes')
  or BAIL_OUT('docs/scheduling.md has changed');

# ---- The shop that it speaks of ----

my $node = new_server('schedule', "max_worker_processes = 20\n");
my @as_owner = (extra_params => [ '-U', 'shopkeeper' ]);
$node->safe_psql('postgres', 'CREATE ROLE shopkeeper LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE shop OWNER shopkeeper');
$node->safe_psql('shop', 'CREATE EXTENSION clientele', @as_owner);
create_shop($node, 'shop', customers => 50, @as_owner);
create_store($node, 'shop', @as_owner);
$node->safe_psql('shop', $role);
is($node->safe_psql('shop', 'SHOW lock_timeout', extra_params => [ '-U', 'shop_jobs' ]), '1min', 'the jobs have limits');
is($node->safe_psql('shop', 'SHOW lock_timeout', @as_owner), '0', 'of their own');

# A customer without orders gets one; the number of profiles tells whether it was counted.
my $next = 1000;
sub order { $node->safe_psql('shop', "INSERT INTO orders VALUES ($next, " . 7 * ($next - 999) . ", now() - interval '1 hour', 30, 'completed')"); $next++; return; }
sub profiles { return $node->safe_psql('shop', 'SELECT count(*) FROM shop.profiles'); }

# ---- cron and psql ----

my ($variables, $times, $command) = $crontab =~ /\A((?:\w+=.*\n)*)((?:\S+ ){5})(.*)\n\z/;
like($variables, qr/^MAILTO=\S+@\S+$/m, 'a crontab with an address');
is($times, '*/15 * * * * ', 'a time');
unlike($command // '', qr/%/, 'and a command without a percent sign, which cron would not pass on');

# With the environment that cron gives, except for where the server is.
my $home = $node->basedir;
sub run_by_cron
{
	my (%with) = @_;
	my $bin = $node->config_data('--bindir');
	my ($out, $err) = ('', '');
	my $done = IPC::Run::run([ 'env', '-i', "HOME=$home", 'LOGNAME=shop_jobs', 'SHELL=/bin/sh', "PATH=$bin:/usr/bin:/bin",
			'PGHOST=' . $node->host, 'PGPORT=' . ($with{port} // $node->port), '/bin/sh', '-c', $with{command} // $command ],
		'<', \'', '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

my $before = profiles();
order();
is_deeply([ run_by_cron() ], [ 0, '', '' ], 'the command succeeds, and is silent');
is(profiles(), $before + 1, 'and has refreshed the store');

order();
open my $lock, '>>', "$home/refresh-shop.lock" or die $!;
flock $lock, 2 or die $!;
is_deeply([ run_by_cron() ], [ 1, '', '' ], 'while another runs it gives up, in silence');
is(profiles(), $before + 1, 'and does nothing');
close $lock;
is_deeply([ run_by_cron() ], [ 0, '', '' ], 'then it runs again');
is(profiles(), $before + 2, 'and makes up for it');

my ($status, $out, $error) = run_by_cron(command => $command =~ s/'shop'/'closed'/r);
is($status, 1, 'a refresh that fails has an exit status');
like($error, qr/^ERROR:  store "closed" does not exist/, 'and prints the error, for the mail');
is((run_by_cron(port => $node->port + 1))[0], 2, 'and so has a server that is away');

# ---- pg_cron ----

SKIP:
{
	skip 'pg_cron is not installed here', 1
	  unless $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'});
	subtest 'pg_cron' => sub {
		$node->append_conf('postgresql.conf', $configuration);
		$node->restart;
		$node->safe_psql('shop', $schedule);
		is($node->safe_psql('shop', 'SELECT jobname, username, database, active FROM cron.job ORDER BY jobid'),
			"refresh shop|shop_jobs|shop|t\nforget old runs|shop_jobs|shop|t", 'the jobs are scheduled');

		# Every minute, for the test; with one that fails.
		my $jobs = 'SET ROLE shop_jobs';
		$node->safe_psql('shop', qq{$jobs; SELECT cron.schedule(jobname, '* * * * *', command) FROM cron.job;
			SELECT cron.schedule('fails', '* * * * *', \$\$CALL clientele.refresh('closed')\$\$)});
		$before = profiles();
		order();
		ok($node->poll_query_until('shop', q{SELECT count(DISTINCT jobid) = 3 FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')}),
			'they run');
		is(profiles(), $before + 1, 'and have refreshed the store');
		is($node->safe_psql('shop', q{SELECT DISTINCT username, status FROM cron.job_run_details d JOIN cron.job j USING (jobid, username) WHERE jobname <> 'fails'}),
			'shop_jobs|succeeded', 'as their role');
		like($node->safe_psql('shop', "$jobs; $runs"), qr/^refresh shop\|succeeded\|CALL\|/, 'the runs can be looked at');
		like($node->safe_psql('shop', q{SELECT d.status, d.return_message FROM cron.job_run_details d JOIN cron.job USING (jobid) WHERE jobname = 'fails' LIMIT 1}),
			qr/^failed\|ERROR: +store "closed" does not exist/, 'and so can an error');
		is($node->safe_psql('shop', 'SELECT count(*) FROM cron.job'), '3', 'scheduling under the same name has changed the jobs');
		is($node->safe_psql('shop', "$jobs; SELECT cron.unschedule('refresh shop')"), 't', 'a job can be ended');
	};
}

$node->stop;
done_testing();
