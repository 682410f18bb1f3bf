# Alerts: a monitoring role sees what is wrong with a store and no customer of it, until that is revoked; what is noted is noted by whoever
# changes the store, without waiting; and a store's owner can neither run code as a superuser who looks nor keep others' alerts from being shown.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('alerts', "autovacuum = off\n");
my $db = 'postgres';
my $sql = sub { return $node->safe_psql($db, @_) };
my $as = sub { my ($user, $query) = @_; my ($status, $answer, $error) = $node->psql($db, $query, extra_params => [ '-U', $user, '-v', 'VERBOSITY=verbose' ]); return $error eq '' ? $answer : $error; };
my $alerts = sub { my ($user) = @_; return $as->($user // $ENV{USER} // 'postgres', q{SELECT string_agg(alert, ' ' ORDER BY alert) FROM clientele.alerts WHERE store = 'shop'}); };
my $superuser = $sql->('SELECT current_user');
$sql->(q{CREATE EXTENSION clientele; CREATE ROLE keeper LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE ROLE nobody LOGIN;
	GRANT CREATE ON DATABASE postgres TO keeper});
create_shop($node, $db, customers => 400);
$sql->(q{GRANT SELECT, TRIGGER ON orders, order_items, customers TO keeper; GRANT INSERT, UPDATE, DELETE ON orders TO keeper});
create_store($node, $db, live => 1, extra_params => [ '-U', 'keeper' ]);
$sql->(q{ALTER TABLE customers OWNER TO keeper; ALTER TABLE orders OWNER TO keeper; ALTER TABLE order_items OWNER TO keeper});
my $keep = sub { return $as->('keeper', "SET client_min_messages = error; $_[0]") };
$keep->(q{SELECT clientele.drop_segment('shop', 'big', 'value'); CALL clientele.refresh('shop')});

# ---- Who sees them ----

my $now = $alerts->('keeper');
is($now, 'no_holdout no_holdout', 'two programs hold nobody out');
is($alerts->('monitor'), $now, 'a monitoring role sees what the owner sees');
is($alerts->($superuser), $now, 'and so does a superuser');
is($alerts->('nobody'), '', 'others see nothing');
like($as->('monitor', 'SELECT count(*) FROM shop.customers'), qr/42501: permission denied/, 'a monitoring role sees no customer');
like($as->('monitor', 'SELECT count(*) FROM shop.ledger'), qr/42501: permission denied/, 'and no code');
is($as->('monitor', q{SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind IN ('r', 'v') AND has_table_privilege(c.oid, 'SELECT')}), 'health partitions', 'one table is for it, one for everybody');
is($sql->(q{SELECT string_agg(a.attname, ' ') FROM pg_attribute a WHERE a.attrelid IN ('shop.health'::regclass, 'shop.partitions'::regclass) AND a.attname ~ 'customer_id|code'}), '', 'that have neither');
is($as->('monitor', q{SELECT store, owner, orders::oid::regclass, live, stale FROM clientele.stores}), 'shop|keeper|orders|t|', 'it sees that there is a store');
like($as->('monitor', 'SELECT count(*) FROM shop.budget_status'), qr/42501: permission denied/, 'sums are for who is let');
$keep->(q{GRANT SELECT ON shop.budget_status, shop.experiment_health TO monitor; SELECT FROM clientele.alter_offer('shop', 'back', budget => 1000); SELECT count(*) FROM generate_series(1, 30) c, clientele.issue_offer(c) HAVING count(*) = 0});
is($as->('monitor', "SELECT count(*) > 0 FROM shop.$_"), 't', "and then $_ shows them, without any right on the ledger") for qw(budget_status experiment_health);
is($as->('monitor', "TABLE shop.$_"), $keep->("TABLE shop.$_"), "the same as to the owner: $_") for qw(budget_status experiment_health);
$keep->(q{ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY part ON customers TO nobody USING (children > 1); GRANT USAGE ON SCHEMA shop TO nobody; GRANT SELECT ON shop.ledger, shop.budget_status, customers TO nobody});
is($as->('nobody', 'SELECT count(*) FROM shop.budget_status'), '0', 'whom a policy shows some of the customers is shown no sums over all');
$keep->(q{REVOKE ALL ON ALL TABLES IN SCHEMA shop FROM nobody; REVOKE ALL ON SCHEMA shop FROM nobody; REVOKE ALL ON customers FROM nobody; DROP POLICY part ON customers; ALTER TABLE customers DISABLE ROW LEVEL SECURITY; SELECT FROM clientele.alter_offer('shop', 'back', reset => '{budget}')});
$keep->(q{REVOKE SELECT ON shop.health FROM pg_monitor});
is($alerts->('monitor'), '', 'until the owner revokes it');
$keep->(q{GRANT SELECT ON shop.health TO pg_monitor});

# ---- What there is to see, and that it goes away ----

my $appears = sub {
	my ($alert, $severity, $do, $undo, $name) = @_;
	is($do->(), '', "$name: done") if ref $do;
	is($keep->($do), '', "$name: done") unless ref $do;
	is($as->('monitor', "SELECT DISTINCT severity FROM clientele.alerts WHERE store = 'shop' AND alert = '$alert'"), $severity, "$name: $alert");
	is($as->('monitor', "SELECT count(*) FROM clientele.alerts WHERE store = 'shop' AND alert = '$alert' AND (detail IS NULL OR hint IS NULL)"), '0', "$name: it says what to do");
	is($keep->($undo), '', "$name: undone");
	is($as->('monitor', "SELECT count(*) FROM clientele.alerts WHERE store = 'shop' AND alert = '$alert'"), '0', "$name: gone");
};
$appears->('stale', 'critical', 'ALTER TABLE orders DISABLE TRIGGER USER', 'ALTER TABLE orders ENABLE TRIGGER USER', 'triggers that are off');
$appears->('stale', 'critical', 'ALTER TABLE orders SET UNLOGGED', 'ALTER TABLE orders SET LOGGED', 'an unlogged table');
$appears->('failures', 'critical', q{ALTER TABLE shop.pending ADD CONSTRAINT no CHECK (due > '-infinity'); UPDATE orders SET amount = amount + 1 WHERE order_id < 4; UPDATE orders SET amount = amount - 1 WHERE order_id < 4; ALTER TABLE shop.pending DROP CONSTRAINT no},
	q{CALL clientele.refresh('shop')}, 'statements that could not be noted');
$appears->('failures', 'critical', q{ALTER TABLE shop.pending ADD CONSTRAINT no CHECK (due > '-infinity'); UPDATE orders SET amount = amount + 1 WHERE order_id < 4; ALTER TABLE shop.pending DROP CONSTRAINT no},
	q{SELECT FROM clientele.set_live('shop', false); SELECT FROM clientele.set_live('shop', true); CALL clientele.refresh('shop')}, 'the same, and not live any more');
$appears->('refresh_overdue', 'warning', q{UPDATE shop.settings SET fresh_to = now() - interval '3 days'; SELECT FROM clientele.upgrade_store('shop')}, q{CALL clientele.refresh('shop')}, 'no refresh for three days');
$appears->('budget_nearly_spent', 'warning', q{SELECT FROM clientele.alter_offer('shop', 'stretch', budget => 100); CALL clientele.issue_offers('shop', 'stretch')},
	q{SELECT FROM clientele.alter_offer('shop', 'stretch', budget => 100000)}, 'a run that spends a budget');
$appears->('budget_nearly_spent', 'warning', q{SELECT FROM clientele.alter_offer('shop', 'second', budget => 20); SELECT count(i.code) FROM generate_series(1, 400) c, clientele.issue_offer(c) i HAVING count(i.code) < 2},
	q{SELECT FROM clientele.alter_offer('shop', 'second', reset => '{budget}')}, 'offers that are issued one by one, until the budget is spent');
$appears->('no_holdout', '', q{SELECT FROM clientele.set_global_holdout('shop', 0.05)}, q{SELECT FROM clientele.set_global_holdout('shop', 0.04)}, 'a global holdout is one for all');
$appears->('default_segment', 'warning', q{SELECT FROM clientele.define_segment('shop', 'families', 'children > 20'); SELECT FROM clientele.define_segment('shop', 'evening', 'children > 30'); CALL clientele.record_segments('shop')},
	q{SELECT FROM clientele.define_segment('shop', 'families', 'children >= 0'); CALL clientele.record_segments('shop')}, 'rules that take hardly anybody');
$appears->('pending', 'warning', q{INSERT INTO shop.pending (customer_id, due) SELECT 1 + c % 400, 'infinity' FROM generate_series(1, 100001) c; SELECT FROM pg_stat_force_next_flush()},
	q{DELETE FROM shop.pending; SELECT FROM pg_stat_force_next_flush()}, 'what nobody folds');
$appears->('detached', 'critical', q{SELECT FROM clientele.detach_store('shop')}, q{SELECT FROM clientele.attach_store('shop'); CALL clientele.refresh('shop')}, 'a store that is detached');
$appears->('version_behind', 'warning', q{UPDATE shop.settings SET version = 0; SELECT FROM clientele._note_definitions('shop')}, q{UPDATE shop.settings SET version = 1; SELECT FROM clientele.upgrade_store('shop')}, 'another version');
$appears->('model_old', 'warning', q{SELECT count(*) FROM clientele.learn_segments('shop', 'habits', '{orders,aov}', k => 2) HAVING count(*) = 0; UPDATE shop.models SET fitted_at = now() - interval '100 days'; CALL clientele.refresh('shop')},
	q{UPDATE shop.models SET fitted_at = now(); CALL clientele.refresh('shop')}, 'a model of last season');
$appears->('model_drifted', 'warning', q{UPDATE shop.models SET diagnostics = jsonb_set(diagnostics, '{drift}', '{"moved": {"1": 0.7, "2": null}}'); CALL clientele.refresh('shop')},
	q{UPDATE shop.models SET diagnostics = diagnostics - 'drift'; CALL clientele.refresh('shop')}, 'clusters that moved');
# Assigned against the plan: none of who should be held out is.
my $broken = q{
	INSERT INTO shop.ledger (customer_id, period, program, program_version, global_holdout, basis, reference_value, min_spend, reward, reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until)
		SELECT 10000 + c, 1, 'stretch', p.version, 0, 'typical', 10, 20, 1, 'amount_off', 'USD', 'x', '{}', 'default', 1, now(), now() + interval '1 day' FROM generate_series(1, 200) c, shop.programs p WHERE p.program = 'stretch'};
my $mended = q{DELETE FROM shop.ledger WHERE customer_id > 10000; SELECT count(*) FROM clientele.issue_offer(6) HAVING count(*) > 5; DELETE FROM shop.health WHERE part = 'comparison'; CALL clientele.settle_offers('shop')};
$appears->('sample_ratio', 'critical', qq{SELECT FROM clientele.alter_offer('shop', 'stretch', holdout => 0.5); $broken; CALL clientele.settle_offers('shop')}, $mended, 'a split that no chance explains');
is($keep->("$broken; CALL clientele.issue_offers('shop')"), '', 'the same, and a run');
unlike($alerts->('monitor'), qr/sample_ratio/, 'which does not read the whole ledger again on the day on which that was looked at');
$appears->('sample_ratio', 'critical', q{UPDATE shop.health SET noted_at = noted_at - interval '25 hours' WHERE part = 'comparison'; CALL clientele.issue_offers('shop')}, $mended, 'a day later a run looks itself');

is($keep->(q{SET statement_timeout = '30s'; ALTER TABLE shop.health ADD CONSTRAINT slow CHECK (pg_sleep(60) IS NOT NULL) NOT VALID; ALTER TABLE shop.pending ADD CONSTRAINT no CHECK (due > '-infinity') NOT VALID;
	UPDATE orders SET amount = amount + 1 WHERE order_id < 4; UPDATE orders SET amount = amount - 1 WHERE order_id < 4; ALTER TABLE shop.health DROP CONSTRAINT slow; ALTER TABLE shop.pending DROP CONSTRAINT no;
	CALL clientele.refresh('shop')}), '', 'what somebody has put on the table keeps no order waiting');

# ---- As the page has it ----

my $page = slurp_file('docs/monitoring.md');
my @roles = $page =~ /^```sql monitoring\n(.*?)^```/msg;
$sql->($_) for @roles;
is($as->('monitoring', 'SELECT count(*) > 0 FROM shop.experiment_health'), 't', 'the rights of the page');
$keep->(q{SELECT FROM clientele.set_global_holdout('shop', 0); ALTER TABLE orders DISABLE TRIGGER USER});
my ($exporter) = $page =~ /^  query: "(.*)"$/m;
like($as->('monitoring', $exporter), qr/^shop\|stale\|critical\|1$/m, 'the query of postgres_exporter');
my ($script) = $page =~ /^```sh\n(#!.*?)^```/ms;
my $bin = $node->basedir . '/bin';
mkdir $bin;
append_to_file("$bin/mail-alerts", $script);
append_to_file("$bin/mail", qq{#!/bin/sh\necho "\$2 to \$3" >>$bin/sent\ncat >>$bin/sent\n});
chmod 0755, "$bin/mail-alerts", "$bin/mail";
{
	local ($ENV{PGHOST}, $ENV{PGPORT}, $ENV{PGDATABASE}, $ENV{PGUSER}, $ENV{PATH}) = ($node->host, $node->port, $db, 'monitoring', "$bin:$ENV{PATH}");
	command_ok([ "$bin/mail-alerts", 'keeper@example.com', "$bin/told" ], 'the script of the e-mail') for 1 .. 2;
	like(slurp_file("$bin/sent"), qr/\Aclientele: \d alerts to keeper\@example.com\ncritical \| shop \| stale \| triggers/, 'writes what is wrong');
	is(() = slurp_file("$bin/sent") =~ /example.com/g, 1, 'once');
	$keep->(q{ALTER TABLE orders ENABLE TRIGGER USER});
	command_ok([ "$bin/mail-alerts", 'keeper@example.com', "$bin/told" ], 'and again when it has changed');
	is(() = slurp_file("$bin/sent") =~ /example.com/g, 2, 'that it has changed');
}

# ---- Noting never waits ----

my ($one, $other) = map { session($node, $db, user => 'keeper') } 1 .. 2;
ask($_, q{SET lock_timeout = '5s'; SET client_min_messages = error}) for $one, $other;
ask($one, q{BEGIN; SELECT clientele.define_offer('shop', 'second', 'second_order', priority => 10)});
is(ask($other, q{CALL clientele.record_segments('shop')}), '', 'a note that is not committed keeps nobody waiting');
is(ask($one, 'COMMIT'), '', 'nor does another');
is(ask($one, q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) > 0 FROM shop.settings}), 't', 'an older snapshot');
ask($other, q{SELECT clientele.define_offer('shop', 'back', 'win_back', priority => 30)});
unlike(ask($one, q{CALL clientele.record_segments('shop')}), qr/ERROR/, 'is no obstacle to noting');
ask($one, 'COMMIT');
cmp_ok($sql->(q{SELECT count(*) FROM shop.health}), '<', 40, 'and what is outdated is removed');

# ---- An owner whom nobody has to trust ----

# What a live store says of its partitions is read by whoever looks, too.
my $partitions = q{
	CREATE TABLE own.days (customer_id int, ordered_at timestamptz, amount numeric) PARTITION BY RANGE (ordered_at);
	CREATE TABLE own.day PARTITION OF own.days DEFAULT; SELECT FROM clientele.create_store('parts', 'own.days', live => true)};
my @partition_traps = (
	[ 'a policy on partitions', q{ALTER TABLE parts.partitions ENABLE ROW LEVEL SECURITY; ALTER TABLE parts.partitions FORCE ROW LEVEL SECURITY; CREATE POLICY p ON parts.partitions USING (own.spring())} ],
	[ 'more partitions than there can be', q{ALTER TABLE parts.partitions DISABLE ROW LEVEL SECURITY; INSERT INTO parts.partitions SELECT repeat('p', 900) || i, p.place, p.attachment || i FROM parts.partitions p, generate_series(1, 10000) i} ],
	[ 'a view of partitions', q{DROP TABLE parts.partitions; CREATE VIEW parts.partitions AS SELECT own.spring('x') AS name, NULL::text AS place, NULL::text AS attachment, NULL::timestamptz AS first_at, NULL::timestamptz AS last_at} ]);

$sql->(q{CREATE ROLE mallory LOGIN; GRANT CREATE ON DATABASE postgres TO mallory; CREATE TABLE caught (by_whom text); GRANT INSERT ON caught TO PUBLIC});
my $malice = sub { return $as->('mallory', "SET client_min_messages = error; $_[0]") };
is($malice->(q{
	CREATE SCHEMA own; CREATE TABLE own.orders (customer_id int, ordered_at timestamptz, amount numeric);
	SELECT FROM clientele.create_store('trap', 'own.orders');
	CREATE FUNCTION own.spring() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.caught VALUES (current_user); RETURN true; END $$;
	CREATE FUNCTION own.spring(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.caught VALUES (current_user); RETURN $1; END $$}), '', 'somebody else has a store, too');
my $unharmed = sub {
	my ($name) = @_;
	is($as->($superuser, q{SELECT count(*) FROM caught WHERE by_whom <> 'mallory'}), '0', "$name: nothing of the owner's runs") if $as->($superuser, 'SELECT count(*) FROM clientele.alerts') =~ /^\d+$/;
	is($as->($superuser, q{SELECT count(*) > 0 FROM clientele.alerts WHERE store = 'shop'}), 't', "$name: and the alerts of others are shown");
};
my $holdouts = q{SELECT FROM clientele.set_global_holdout('shop', 0)};
$keep->($holdouts);
for my $trap (
	[ 'a policy', q{ALTER TABLE trap.health ENABLE ROW LEVEL SECURITY; ALTER TABLE trap.health FORCE ROW LEVEL SECURITY; CREATE POLICY p ON trap.health USING (own.spring())} ],
	[ 'no policy', q{ALTER TABLE trap.health DISABLE ROW LEVEL SECURITY; DROP POLICY p ON trap.health} ],
	[ 'a default', q{ALTER TABLE trap.health ALTER detail SET DEFAULT own.spring('x')} ],
	[ 'numbers out of range', q{UPDATE trap.health SET since = '290000-01-01', overdue_after = '170000000 years', figure = 1e308, bound = 5e-324} ],
	[ 'more of them', q{INSERT INTO trap.health (part, subject, noted_at, since, figure, bound) SELECT p, 'x', 'infinity', 'infinity', 'NaN', '-infinity' FROM unnest('{refresh,failure,segments,budget,comparison,holdout,model,settings}'::text[]) p} ],
	[ 'names that are none', q{UPDATE trap.health SET source_names = ARRAY['"; SELECT own.spring(); --', repeat('x.', 100000), NULL], orders = 1, items = 4294967295, time_zone = repeat('../', 1000), zone_digests = '{{1,2},{3,NULL}}', live = true, version = NULL} ],
	[ 'a part that is unknown', q{UPDATE trap.health SET part = 'x'} ],
	[ 'a table that is too large', q{INSERT INTO trap.health (part, subject, noted_at, detail) SELECT 'budget', i, now(), repeat(i::text, 300) FROM generate_series(1, 30000) i} ],
	[ 'a column of another type', q{TRUNCATE trap.health; ALTER TABLE trap.health ALTER detail TYPE varchar} ],
	[ 'a view in its place', q{DROP TABLE trap.health; CREATE VIEW trap.health AS SELECT own.spring('x')::clientele.health_part AS part} ],
	[ 'a table under another name', q{DROP VIEW trap.health; CREATE TABLE trap.elsewhere (LIKE clientele.health); INSERT INTO trap.elsewhere (part, subject, noted_at, since) VALUES ('settings', 'store', now(), now())} ],
	[ 'many of them', q{DO $$ BEGIN FOR i IN 1 .. 300 LOOP EXECUTE format('CREATE TABLE trap.h%s (LIKE clientele.health)', i); END LOOP; END $$} ],
	[ 'a lock', q{DROP TABLE trap.elsewhere; DO $$ BEGIN FOR i IN 1 .. 300 LOOP EXECUTE format('DROP TABLE trap.h%s', i); END LOOP; END $$; CREATE TABLE trap.health (LIKE clientele.health); } ])
{
	is($malice->($trap->[1]), '', "$trap->[0]: set");
	$unharmed->($trap->[0]);
}
is($malice->($partitions), '', 'a live store over partitions');
for my $trap (@partition_traps)
{
	is($malice->($trap->[1]), '', "$trap->[0]: set");
	$unharmed->($trap->[0]);
	is($as->($superuser, q{SELECT count(*) FROM clientele.alerts a WHERE store = 'parts' AND a::text ~ 'pppp'}), '0', "$trap->[0]: are not read");
}
$one = session($node, $db, user => 'mallory');
ask($one, 'BEGIN; LOCK TABLE trap.health');
is($as->($superuser, q{SET statement_timeout = '5s'; SELECT alert FROM clientele.alerts WHERE store = 'trap'}), 'unknown', 'a table that is locked is waited for by nobody, and not passed over in silence');
ask($one, 'ROLLBACK');
# Who may create something in the schema of a store, and no more, cannot have it write there.
$keep->(q{GRANT USAGE, CREATE ON SCHEMA shop TO mallory; ALTER TABLE shop.health RENAME TO notes});
is($malice->(q{CREATE TABLE shop.health (LIKE clientele.health); CREATE FUNCTION own.caught() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.caught VALUES (current_user); RETURN NEW; END $$;
	CREATE TRIGGER t BEFORE INSERT ON shop.health FOR EACH ROW EXECUTE FUNCTION own.caught(); GRANT ALL ON shop.health TO keeper; GRANT SELECT ON shop.health TO pg_monitor;
	INSERT INTO shop.health (part, subject, noted_at, figure, bound) VALUES ('budget', 'a lie', now(), 0, 9)}), '', 'a table of a stranger in the schema of a store');
$sql->(q{DELETE FROM caught});
$keep->(q{SELECT FROM clientele.alter_offer('shop', 'back', budget => 1000); CALL clientele.refresh('shop')});
is($sql->(q{SELECT count(*) FROM caught}) . $as->('monitor', q{SELECT count(*) FROM clientele.alerts WHERE detail LIKE '%a lie%'}), '00', 'the store does not write to it, and nobody is shown it');
like($alerts->('monitor'), qr/no_holdout/, 'its own is followed under another name');
is($keep->(q{ALTER TABLE shop.pending ADD CONSTRAINT no CHECK (due > '-infinity'); UPDATE orders SET amount = amount + 1 WHERE order_id < 4; UPDATE orders SET amount = amount - 1 WHERE order_id < 4; ALTER TABLE shop.pending DROP CONSTRAINT no}), '', 'orders that cannot be noted');
like($alerts->('monitor'), qr/failures/, 'are noted there, too');
$malice->(q{DROP TABLE shop.health});
$keep->(q{ALTER TABLE shop.notes RENAME TO health; REVOKE ALL ON SCHEMA shop FROM mallory; CALL clientele.refresh('shop')});

# Of a store that has lost the table, who monitors is told; nobody else is.
is($keep->(q{DROP TABLE shop.health}), '', 'a table that is dropped');
is($alerts->('monitor') . $alerts->('keeper') . $alerts->('nobody'), 'unknownunknown', 'is missed');
$keep->(q{SELECT FROM clientele.upgrade_store('shop')});
is($alerts->('monitor'), $alerts->('keeper'), 'and created anew');

# One look at many stores: their number is no reason to plan everything anew.
$sql->(q{SET client_min_messages = error; SELECT clientele.create_store('many' || n, 'orders', live => n % 2 = 0) FROM generate_series(1, 26) n});
my $took = $sql->(q{
	CREATE TEMP TABLE took (ms double precision);
	DO $$ DECLARE began timestamptz; BEGIN FOR i IN 1 .. 8 LOOP
		began := clock_timestamp(); PERFORM FROM clientele.alerts; INSERT INTO took VALUES (extract(epoch FROM clock_timestamp() - began) * 1000);
	END LOOP; END $$;
	SELECT round(min(ms)::numeric, 1) FROM took});
cmp_ok($took, '<', 150, "28 stores in $took ms");
is(complaints($node), '', 'nothing unexpected in the log');
$node->stop;
done_testing();
