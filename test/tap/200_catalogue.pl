# What the install script makes, as the server has read it: where its names are found, what each function declares, who may call it, and what
# plpgsql_check says of every PL/pgSQL function (where that extension is there).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Script;
use Shop;
use Test::More;

my $node = new_server('catalogue');
sub rows { my ($query, $database) = @_; return $node->safe_psql($database // 'postgres', $query); }
sub none { my ($query, $name) = @_; return is(rows($query), '', $name); }

# ---- The script ----

my ($version) = slurp_file('clientele.control') =~ /^default_version = '(.*)'/m;
my @statements = statements(slurp_file("clientele--$version.sql"));
cmp_ok(scalar @statements, '>', 1500, 'the install script is read, statement by statement');
is(join("\n", faults_of_install(@statements)), '', 'it takes nothing over that is there already, and each function says what it is');
is(scalar(faults_of_install(statements($_))), 1, "which would be noticed: $_") for 'CREATE TABLE IF NOT EXISTS clientele.t ();',
  'CREATE OR REPLACE VIEW clientele.v AS SELECT 1;', q{DO $$ BEGIN EXECUTE 'CREATE SCHEMA IF NOT EXISTS x'; END $$;},
  'CREATE FUNCTION clientele.f() RETURNS integer LANGUAGE sql STABLE AS $$ SELECT 1 /* PARALLEL SAFE */ $$;',
  'CREATE FUNCTION clientele.f() RETURNS integer LANGUAGE sql PARALLEL SAFE RETURN 1;';

# Who creates the extension may have anything in the only schema besides pg_catalog that its script looks into: nothing is found there.
rows('CREATE EXTENSION clientele');
my $names = q{SELECT format('CREATE TYPE pg_temp.%I AS (decoy pg_catalog.int4);', t.typname) FROM pg_type t
	WHERE t.typnamespace = 'clientele'::regnamespace AND t.typname !~ '^_' AND t.typrelid = 0
	UNION ALL SELECT format('CREATE TABLE pg_temp.%I (decoy pg_catalog.int4);', c.relname) FROM pg_class c WHERE c.relnamespace = 'clientele'::regnamespace};
my $decoys = rows($names);
cmp_ok(scalar(split /\n/, $decoys), '>', 40, 'decoys of all types and views');
my $members = q{SELECT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND d.refobjid = (SELECT e.oid FROM pg_extension e WHERE e.extname = 'clientele')};
my $elsewhere = qq{SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
	FROM ($members) m JOIN pg_depend d USING (classid, objid) CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, 0) i
	WHERE d.deptype <> 'e' AND coalesce(i.schema, CASE WHEN d.refclassid = 'pg_namespace'::regclass THEN i.identity END) NOT IN ('pg_catalog', 'clientele')};
none($elsewhere, 'nothing depends on anything outside of pg_catalog and clientele');
is(rows("CREATE DATABASE decoyed") . rows("$decoys\nCREATE EXTENSION clientele; $elsewhere", 'decoyed'), '', 'nor where whoever creates the extension has decoys of all of it');
none(qq{SELECT pg_describe_object(m.classid, m.objid, 0) FROM ($members) m CROSS JOIN LATERAL pg_identify_object(m.classid, m.objid, 0) i
	WHERE i.schema <> 'clientele' AND i.type <> 'cast'}, 'all of it is in its schema');

# ---- Functions ----

my $functions = q{FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'clientele'::regnamespace};
none("SELECT p.oid::regprocedure $functions AND p.prosecdef", 'no function runs as its owner');
none("SELECT p.oid::regprocedure $functions AND p.proacl IS NOT NULL", 'everybody may call all of them: none gives its caller rights');
none(q{SELECT i.type, i.identity FROM (VALUES ('views', (SELECT array_agg(c.oid::regclass::text ORDER BY c.oid::regclass::text COLLATE "C") FROM pg_class c
	WHERE c.relnamespace = 'clientele'::regnamespace AND c.relkind = 'v' AND NOT has_table_privilege('public', c.oid, 'SELECT')))) i (type, identity) WHERE i.identity IS NOT NULL},
	'and read its views, which show what the caller may see');
none(q{SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'clientele'::regnamespace AND c.relkind NOT IN ('v', 'c')}, 'there are no tables of its own');
none(qq{SELECT pg_describe_object(m.classid, m.objid, 0) FROM ($members) m CROSS JOIN LATERAL pg_identify_object(m.classid, m.objid, 0) i
	WHERE obj_description(m.objid, m.classid::regclass::name) IS NULL AND i.type IN ('function', 'procedure', 'aggregate', 'type', 'view')
	AND NOT EXISTS (SELECT FROM pg_type t WHERE m.classid = 'pg_type'::regclass AND t.oid = m.objid AND t.typelem <> 0)}, 'each function, type and view has a comment');
# The text of a body is read anew in each session, by its search_path; one that is parsed when it is created never is.
none("SELECT p.oid::regprocedure $functions AND l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL
	AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(p.proconfig, '{}')) AND p.proname <> ALL ('{_rfm_segments,settle_offers}')",
	'each body is read under the same search path');
# A procedure with a SET clause cannot commit, and a function with one is not inlined: these name the schema of all that they use.
is(join(' ', map { unqualified($_) } rows("SELECT p.prosrc $functions AND p.proname = '_rfm_segments'"), rows("SELECT p.prosrc $functions AND p.proname = 'settle_offers'")), '',
	'but two, which name the schema of what they call');
is(join(' ', unqualified(q{x := lower(y); IF clientele.f(x::text) > 0 THEN RETURN; END IF;})), 'lower text >', 'else it would be noticed');

# What is not strict is called with NULL for all arguments; what is in C also with a value for all, and with NULL for each in turn: it returns
# or says what is wrong, and never fails within.
is(rows(q{
	CREATE TABLE outcomes (call text, sqlstate text, message text);
	CREATE FUNCTION pg_temp.sample(type oid) RETURNS text LANGUAGE sql AS $$
		SELECT coalesce(quote_literal(CASE WHEN type IN ('float8[]'::regtype, 'bigint[]'::regtype) THEN '{1,2,3}' WHEN t.typcategory = 'A' THEN '{}'
			WHEN type = 'jsonb'::regtype THEN '{}' WHEN type = 'bytea'::regtype THEN '\x01' WHEN type = 'regclass'::regtype THEN 'pg_class'
			WHEN type = 'uuid'::regtype THEN '00000000-0000-0000-0000-000000000001'
			ELSE CASE t.typcategory WHEN 'N' THEN '1' WHEN 'S' THEN 'x' WHEN 'B' THEN 'true' WHEN 'D' THEN '2026-01-02' WHEN 'T' THEN '1 day' END END), 'NULL')
			|| '::' || format_type(type, NULL) FROM pg_type t WHERE t.oid = type
	$$;
	DO $$
	DECLARE
		f record;
	BEGIN
		FOR f IN SELECT format('%s clientele.%I(%s)', CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END, p.proname,
				(SELECT string_agg(CASE WHEN missing IN (0, n) THEN 'NULL::' || format_type(t, NULL) ELSE pg_temp.sample(t) END, ', ' ORDER BY n)
					FROM unnest(p.proargtypes) WITH ORDINALITY a (t, n))) AS call
			FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang CROSS JOIN LATERAL generate_series(0, CASE l.lanname WHEN 'c' THEN p.pronargs + 1 ELSE 0 END) missing
			WHERE p.pronamespace = 'clientele'::regnamespace AND p.prokind <> 'a' AND NOT p.proisstrict AND p.prorettype <> 'trigger'::regtype
				AND p.provariadic = 0 AND NOT p.proargtypes::oid[] && ARRAY['internal', '"any"', 'anyelement', 'record', 'anyarray']::regtype[]::oid[] LOOP
			BEGIN
				EXECUTE f.call;
				RAISE EXCEPTION SQLSTATE 'CL999';
			EXCEPTION WHEN OTHERS THEN
				INSERT INTO outcomes VALUES (f.call, SQLSTATE, SQLERRM);
			END;
		END LOOP;
	END $$;
	SELECT call, sqlstate, message FROM outcomes WHERE sqlstate ~ '^(XX|58|53)' ORDER BY 1}), '', 'what is not strict takes NULL for any argument');
cmp_ok(rows(q{SELECT count(*) FROM outcomes}), '>', 1000, 'in many calls');
cmp_ok(rows(q{SELECT count(*) FROM outcomes WHERE sqlstate = 'CL999'}), '>', 300, 'many of which return');

# ---- plpgsql_check ----

SKIP:
{
	skip 'there is no plpgsql_check here' if rows(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'plpgsql_check'}) eq '0';
	rows('CREATE EXTENSION plpgsql_check');
	# Without its opinion on what may be injected: stores are made of SQL, and names are quoted where it is put together, which it does not see.
	my @found = split /\n/, rows(q{
		SELECT concat_ws(' | ', p.proname, c.level, c.sqlstate, c.message, c.detail)
		FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang CROSS JOIN LATERAL plpgsql_check_function_tb(p.oid, fatal_errors => false, extra_warnings => true,
			performance_warnings => true) c WHERE p.pronamespace = 'clientele'::regnamespace AND l.lanname = 'plpgsql' GROUP BY 1 ORDER BY 1});
	is(join("\n", grep { !is_false_alarm($_) } @found), '', 'plpgsql_check finds nothing');
	cmp_ok(scalar @found, '>', 0, 'it has looked');
}

# What it cannot know, of itself: records that dynamic SQL fills, by function; and what is no mistake.
sub is_false_alarm
{
	my ($finding) = @_;
	my %records = (
		_check_response_log => 'found', _continue_campaign => 'campaign|counts', _cutoffs => 'cut', _find_clusters => 'found', _issue_between => 'pass',
		_plan_campaign => 'campaign', _program_version => 'last', _refresh_rules => 'found', _settle_chunk => 'freed', _try_redeem_offer => 'exposure',
		_void_redemption => 'exposure', _warn_of_lost_rules => 'lost', define_segment => 'former', learn_affinity => 'data', withdraw_offer => 'exposure');
	my ($function, $level, $state, $message, $detail) = split / \| /, $finding;
	my $record = $records{$function} // '(?!)';
	return 1 if $message =~ /^record "(?:$record)" is not assigned|^never read variable "(?:$record)"$/;
	return 1 if $message =~ /^(?:cannot determinate a result of dynamic SQL|OUT variable "\w+" is maybe unmodified)$/ && $detail =~ /false alarms|result of dynamic SQL/;
	return 1 if $message =~ /^routine is marked as/ && ($detail // '') =~ /cannot to determine volatility of used dynamic SQL/;
	return 1 if $message =~ /^name of parameter "(?:from|to)" is reserved keyword$/;    # columns of what events tell, which are to be quoted
	# An assignment converts numbers, names and ids as a cast would.
	return 1 if $level eq 'performance' && $state eq '42804';
	return 1 if $function eq '_continue_campaign' || $function eq '_plan_campaign' and $message eq 'cached plan is not valid plan';    # of that record
	return 1 if $function eq 'define_segment' && $message =~ /^unused parameter "(?:description|priority|rule)"$/;                 # used behind that record
	return 1 if $function eq '_find_clusters' && $message =~ /^composite OUT variable "(?:model|summary)" is not single argument$/;
	return 1 if $function eq '_budget_terms' && $message eq 'unmodified OUT variable "wanted"';                                     # INOUT, passed on
	return 1 if $function eq '_checked_settings' && $message eq 'control reached end of function without RETURN';                   # _raise_problems() raises
	return 0;
}

done_testing();
