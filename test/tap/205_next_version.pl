# From one version of the extension to the next: the draft of scripts/draft-upgrade.pl, applied where a live store is in use. There is a made next
# version, made of the present one by changes of the kinds that releases bring: the type offer has another attribute, functions have other bodies,
# another signature or are new, a view has another column. What comes of it is what a fresh install of that version makes.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Script;
use Shop;
use Test::More;

my ($version) = slurp_file('clientele.control') =~ /^default_version = '(.*)'/m;
chomp(my $directory = `pg_config --sharedir`);
$directory .= '/extension';
my %made = map { $_ => "$directory/clientele--$_.sql" } 'made', "$version--made";
END { unlink values %made }

sub write_file { my ($name, $text) = @_; open my $out, '>', $name or die "$name: $!"; print $out $text; close $out or die "$name: $!"; return; }

# ---- Freezing a version, in a copy ----

my $copy = PostgreSQL::Test::Utils::tempdir();
system_or_bail('sh', '-c', "mkdir $copy/src && cp -r scripts clientele.control $copy && cp -r src/sql $copy/src && rm -rf $copy/src/sql/released $copy/src/sql/upgrade");
my $frozen = "$copy/src/sql/released/clientele--$version.sql";
sub unfrozen { return `perl scripts/frozen.pl $copy`; }
is(unfrozen(), '', 'nothing is frozen');
like(`bash $copy/scripts/freeze 2>&1`, qr/^Frozen: src.sql.released.clientele--\Q$version\E\.sql/, 'a version is frozen');
is(slurp_file($frozen), slurp_file("clientele--$version.sql"), 'as it would be built');
is(unfrozen(), '', 'and stays so');
like(`bash $copy/scripts/freeze 2>&1`, qr/version \Q$version\E is frozen/, 'once');
append_to_file("$copy/src/sql/99-end.sql", "-- more\n");
like(unfrozen(), qr/^src.sql has changed since version \Q$version\E was frozen.*\n\z/, 'another version must begin before more is written');
append_to_file($frozen, "-- more\n");
is(unfrozen(), "clientele--$version.sql is not what was released\n", 'a frozen script that is changed is found');
system_or_bail('sed', '-i', "s/^default_version = .*/default_version = 'later'/", "$copy/clientele.control");
is(unfrozen(), "clientele--$version.sql is not what was released\nno upgrade leads from version $version\n", 'and one that no upgrade leads from');
unlink $frozen;
is(unfrozen(), "clientele--$version.sql is gone\n", 'and one that is gone');

# ---- The next version ----

my $script = slurp_file("$directory/clientele--$version.sql");
change('the attribute', qr/(CREATE TYPE clientele\.offer AS \(.*?tiers pg_catalog\.jsonb)\n/s, "\$1,\n    break_even_share pg_catalog.float8\n");
change('its comment', qr/(?=COMMENT ON COLUMN clientele\.offer\.tiers)/, "COMMENT ON COLUMN clientele.offer.break_even_share IS 'It''s new.';\n");
change('the version of stores', qr/(FUNCTION clientele\._store_version\(\).*?RETURN) 1;/s, '$1 2;');
change('a body', qr/(RETURN '\{segment,basis,reference_value,variant,propensity,expected_profit)(,reasons\}')/, '$1,break_even_share$2');
change('a signature', qr/(FUNCTION clientele\._counted\(number pg_catalog\.numeric, )noun( .*? )noun,/s, '$1thing$2thing,');
change('a view', qr/(CREATE VIEW clientele\.stores AS SELECT \*)/, '$1, true AS made');
$script .= <<'SQL';
CREATE FUNCTION clientele._made(x clientele.offer) RETURNS pg_catalog.float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (x).break_even_share;
COMMENT ON FUNCTION clientele._made(clientele.offer) IS 'What the next version has.';
SQL
write_file($made{made}, $script);

sub change
{
	my ($what, $place, $instead) = @_;
	my @groups = $script =~ $place;
	return ok($script =~ s/$place/my ($one, $two) = ($1, $2); $instead =~ s{\$1}{$one}r =~ s{\$2}{$two}r/e, "the next version has $what");
}

my $node = new_server('versions', 'max_worker_processes = 0');
$node->safe_psql('postgres', 'CREATE DATABASE upgraded; CREATE DATABASE fresh;');
sub old { my ($query) = @_; return $node->safe_psql('upgraded', $query); }
sub fresh { my ($query) = @_; return $node->safe_psql('fresh', $query); }
old("CREATE EXTENSION clientele VERSION '$version'");
fresh(q{CREATE EXTENSION clientele VERSION 'made'});

# ---- The draft ----

my $catalogue = slurp_file('scripts/catalogue.sql');
my %drafted = map { $_->[0] => "${PostgreSQL::Test::Utils::tmp_check}/$_->[0].json" } [ 'upgraded' ], [ 'fresh' ];
write_file($drafted{$_}, $node->safe_psql($_, $catalogue)) for keys %drafted;
my ($draft, $by_hand) = ('', '');
IPC::Run::run([ 'perl', 'scripts/draft-upgrade.pl', @drafted{qw(upgraded fresh)} ], '>', \$draft, '2>', \$by_hand);
is($by_hand, '', 'all that has changed can be drafted');
like($draft, qr/^$_/m, "the draft: $_") for 'ALTER TYPE clientele\.offer ADD ATTRIBUTE break_even_share double precision;', 'ALTER TYPE clientele\.issued_offer ADD ATTRIBUTE break_even_share',
  'CREATE OR REPLACE FUNCTION clientele\._store_version', 'DROP FUNCTION clientele\._counted\(', 'CREATE FUNCTION clientele\._counted\(', 'CREATE OR REPLACE VIEW clientele\.stores',
  'CREATE FUNCTION clientele\._made', q{COMMENT ON COLUMN clientele\.offer\.break_even_share IS 'It''s new\.'};
write_file($made{"$version--made"}, $draft);

sub is_there
{
	my ($create) = @_;
	my ($status, $answer, $error) = $node->psql('upgraded', $create, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return $error =~ /ERROR:  (?:42723|42P07)/;
}
is(join("\n", faults_of_upgrade(\&is_there, statements($draft))), '', 'it replaces only what was there');
is(scalar(faults_of_upgrade(\&is_there, statements($_))), 1, "which would be noticed: $_") for
  'CREATE OR REPLACE FUNCTION clientele.never_there() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 1;',
  'CREATE OR REPLACE FUNCTION clientele._counted(n integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 1;';
old('DROP FUNCTION IF EXISTS clientele.never_there(), clientele._counted(integer)');

# ---- A store in use ----

# The same shop and store in both; the id of a store says by which seed it draws.
sub open_store
{
	my ($database) = @_;
	create_shop($node, $database, customers => 300);
	$node->safe_psql($database, q{CREATE ROLE analyst}) if $database eq 'upgraded';
	create_store($node, $database);
	$node->safe_psql($database, q{
		SET client_min_messages = warning;
		UPDATE shop.settings SET id = '00000000-0000-4000-8000-00000000c11e';
		SELECT clientele.set_live('shop', true), clientele.set_global_holdout('shop', 0.02);
		SELECT FROM clientele.fit_clv('shop', force => true);
		SELECT FROM clientele.learn_segments('shop', 'learned', '{orders,total_spent}', k => 3);
		CALL clientele.record_segments('shop');
		SELECT clientele.add_consumer('shop', 'mail');
		GRANT USAGE ON SCHEMA shop TO analyst; GRANT SELECT ON shop.campaign, shop.customers TO analyst;
		SELECT count(i) FROM generate_series(1, 60) c, clientele.issue_offer(c, 'shop') i;
		INSERT INTO orders VALUES (900001, 3, date_trunc('day', now()) - interval '5 hours', 41, 'completed');
	});
	return;
}
open_store($_) for 'upgraded', 'fresh';

my @shown = map { "SELECT md5(string_agg(w, '' ORDER BY w)) FROM (SELECT (to_jsonb(v) - 'valid_until' - 'as_of' - 'break_even_share' - 'code' - 'exposure_id')::text FROM $_ v) x (w)" }
  'shop.customers', 'shop.segments', 'shop.offers', 'shop.campaign', 'shop.offer_decisions', 'shop.offer_summary', 'shop.segment_sizes', 'shop.budget_status',
  q{shop.customers_at(current_date - 3)}, q{(SELECT o.* FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id, 'shop') o)},
  q{(SELECT e.* FROM generate_series(1, 50) c CROSS JOIN LATERAL clientele.explain_offer(c, 'shop') e)};
my $session = session($node, 'upgraded');
my $issue = q{SELECT count((i).code) > 0 FROM generate_series(61, 70) c, clientele.issue_offer(c, 'shop') i};
is(ask($session, $issue), 't', 'a session issues offers');
fresh($issue);
my %before = map { $_ => old($_) } @shown;
my $exposures = q{SELECT md5(string_agg((to_jsonb(l) - 'break_even_share')::text, '' ORDER BY l.exposure_id)) FROM shop.ledger l WHERE l.exposure_id <= 20};
my $ledger = old($exposures);

# ---- The upgrade ----

old(q{ALTER EXTENSION clientele UPDATE TO 'made'});
is(sorted_catalogue('upgraded'), sorted_catalogue('fresh'), 'upgraded, the extension has what a fresh install has');
is(old($_), $before{$_}, "a store of the former version shows what it did: $_") for @shown;
is(old(q{SELECT alert, detail FROM clientele.alerts WHERE store = 'shop' AND alert = 'version_behind'}), 'version_behind|the store has version 1, the extension makes version 2', 'that it is behind is said');
$issue =~ s/61, 70/71, 80/;
is(ask($session, $issue), 't', 'and goes on issuing, in an old session');
is(old(q{SELECT count((i).code) > 0, count((i).break_even_share) FROM generate_series(81, 90) c, clientele.issue_offer(c, 'shop') i}), 't|0', 'and in a new one, without what is new');
is(old(q{SELECT clientele.define_segment('shop', 'temporary', 'orders > 3', segmentation => 'value'), clientele.drop_segment('shop', 'temporary', 'value'), clientele.drop_offer('shop', 'back'),
	clientele.define_offer('shop', 'back', 'win_back', priority => 30)}), '|||', 'definitions work');
$issue =~ s/80/90/;
fresh($issue);

old(q{CREATE VIEW of_others AS SELECT count(*) FROM shop.offers});
my $refused = refused($node, 'upgraded', q{SELECT clientele.upgrade_store('shop')}, '55000', 'store shop cannot be altered so', 'what depends on the views is not dropped');
like($refused, qr/of_others depends on the store/, 'but named');
old(q{DROP VIEW of_others; SELECT clientele.upgrade_store('shop'); SELECT clientele.upgrade_store('shop')});
is(old(q{SELECT (clientele._settings('shop')).version}), '2', 'the store is of the next version');
is(old($_), fresh($_), 'it shows what a new store of the same definitions shows: ' . $_) for @shown;
is(old($exposures), $ledger, 'the ledger is what it was');
my $shares = q{SELECT count(break_even_share), md5(string_agg(break_even_share::text, ' ' ORDER BY customer_id)) FROM shop.offers WHERE customer_id > 90};
is(old($shares), fresh($shares), 'the new column is there');
unlike(old($shares), qr/^0\|/, 'with values');
my $written = q{SELECT sum((i).break_even_share) IS NOT DISTINCT FROM (SELECT sum(break_even_share) FROM shop.offers WHERE customer_id BETWEEN %1$s AND %2$s) AND sum((i).break_even_share) > 0
	FROM generate_series(%1$s, %2$s) c, clientele.issue_offer(c, 'shop') i};
is(old(sprintf $written, 91, 120), 't', 'is issued');
is(ask($session, sprintf $written, 121, 150), 't', 'in the old session, too');
is(old(q{SELECT count(l.break_even_share) > 5, count(*) FILTER (WHERE l.break_even_share IS DISTINCT FROM o.break_even_share) FROM shop.ledger l JOIN shop.offers o USING (customer_id)
	WHERE l.state = 'open' AND l.holdout IS NULL}), 't|0', 'and written down');
is(store_catalogue('upgraded'), store_catalogue('fresh'), 'its tables, views, functions, rights, triggers and comments are those of a new store');
is(old(q{SELECT count(*) FROM clientele.check_store('shop')}), '0', 'and check_store() finds nothing');
exact($node, 'upgraded', 'shop', 'it is live');
is(old(q{INSERT INTO orders VALUES (900002, 7, now(), 10, 'completed'); SELECT orders FROM shop.customers WHERE customer_id = 7}), '1', 'and stays so');
$session->quit;
is(complaints($node), '', 'the log has no complaint');

sub sorted_catalogue { my ($database) = @_; return join "\n", sort map { comparable($_) } split /\n/, $node->safe_psql($database, $catalogue); }

# Attributes that were added stand at the end, wherever a fresh install has them.
sub comparable
{
	my ($object) = @_;
	$object =~ s/"columns": \[(\[.*?\])\]/'"columns": ' . join(' ', sort split m{(?<=\]), (?=\[)}, $1)/e;
	return $object;
}

sub store_catalogue
{
	my ($database) = @_;
	return $node->safe_psql($database, q{
		SELECT w.what FROM (
			SELECT format('%s %s.%s %s %s', c.relkind, regexp_replace(c.relname, '[0-9a-f-]{36}', ''), a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull) AS what
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relnamespace = 'shop'::regnamespace
			UNION ALL SELECT format('%s %s %s %s', c.relkind, regexp_replace(c.relname, '[0-9a-f-]{36}', ''), c.relacl, c.reloptions) FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace
			UNION ALL SELECT format('view %s %s', c.relname, md5(pg_get_viewdef(c.oid))) FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind = 'v'
				AND c.relname NOT IN ('_offer_inputs', '_offer_inputs_stored', '_offer_inputs_of_all', 'offer_decisions', '_ledger', 'budget_status', 'experiment_health')  -- in the order of a table's columns
			UNION ALL SELECT format('%s %s', p.oid::regprocedure, p.proacl) FROM pg_proc p WHERE p.pronamespace = 'shop'::regnamespace
			UNION ALL SELECT pg_get_constraintdef(o.oid) FROM pg_constraint o WHERE o.connamespace = 'shop'::regnamespace
			UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid IN ('orders'::regclass, 'order_items'::regclass)
			UNION ALL SELECT format('policy %s %s', p.polrelid::regclass, pg_get_expr(p.polqual, p.polrelid)) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid AND c.relnamespace = 'shop'::regnamespace
			UNION ALL SELECT format('%s %s %s', i.type, i.identity, d.description) FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
				WHERE i.schema = 'shop' OR i.identity LIKE 'shop.%') w ORDER BY w.what COLLATE "C"});
}

done_testing();
