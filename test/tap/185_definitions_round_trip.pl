# Whatever the tests, the documentation and the demo define survives export and application: to the same store after all of it was dropped,
# and to another store over the same tables.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('round_trip', "search_path = 'public'\n");

# What is compared: the document as text, and the rows that definitions are kept in.
my $checks = q{
	CREATE SCHEMA round_trip;
	GRANT USAGE ON SCHEMA round_trip TO PUBLIC;
	CREATE FUNCTION round_trip.rows_of(store name) RETURNS jsonb LANGUAGE plpgsql AS $$
	DECLARE
		found jsonb;
	BEGIN
		-- Learned segments are learned again; whether others say the same is for the document to tell. Consents are in no order.
		EXECUTE format('SELECT jsonb_build_array(
			(SELECT jsonb_agg(CASE r.segmentation WHEN '''' THEN to_jsonb(r) - ''priority'' ELSE to_jsonb(r) END ORDER BY r.segmentation, r.segment) FROM %1$I.segment_rules r WHERE clientele._cluster_expression(r.rule) IS NULL),
			(SELECT jsonb_agg(g ORDER BY g.segmentation) FROM %1$I.segmentations g), (SELECT jsonb_agg(c ORDER BY c.slot, c.segment) FROM %1$I.contents c),
			(SELECT jsonb_agg(to_jsonb(p) - ''version'' ORDER BY p.program) FROM %1$I.programs p))', store) INTO found;
		RETURN found;
	END $$;
	CREATE FUNCTION round_trip.columns_of(store name) RETURNS text LANGUAGE sql AS $$
		SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = format('%I.customers', store)::regclass AND a.attnum > 0
	$$;
	CREATE FUNCTION round_trip.outcome(store name) RETURNS text LANGUAGE plpgsql SET client_min_messages = error AS $$
	DECLARE
		document jsonb := clientele.export_definitions(store);
		settings clientele.store_settings := clientele._present_settings(store);
		rows jsonb;
		outcome text := 'failed';
	BEGIN
		-- Nothing of it stays.
		BEGIN
			IF (SELECT count(*) FROM clientele.apply_definitions(store, document, prune => true)) > 0 OR clientele.export_definitions(store)::text <> document::text THEN
				outcome := 'its own document changes it';
				RAISE SQLSTATE 'RTRIP';
			END IF;
			PERFORM clientele._lock_rules(store);
			rows := round_trip.rows_of(store);
			PERFORM clientele.apply_definitions(store, '{"format": 1, "segmentations": [{"segmentation": "main", "default_segment": "nobody at all"}], "contents": [], "programs": [], "rfm_breaks": null, "margins": null,
				"consent": null, "contact_limit": null, "global_holdout": 0}', prune => true);
			PERFORM clientele.apply_definitions(store, document);
			IF clientele.export_definitions(store)::text <> document::text OR round_trip.rows_of(store) <> rows THEN
				outcome := format('dropped and applied again it is %s', clientele.export_definitions(store));
				RAISE SQLSTATE 'RTRIP';
			ELSIF (SELECT count(*) FROM clientele.apply_definitions(store, document, prune => true)) > 0 THEN
				outcome := 'applied twice it changes something';
				RAISE SQLSTATE 'RTRIP';
			END IF;
			outcome := 'exact';
			BEGIN
				PERFORM clientele.create_store('round trip', settings.orders, settings.customer_id, settings.ordered_at, settings.amount, settings.order_id,
					customers => settings.customers, customer_key => settings.customer_key, attributes => settings.attributes,
					items => settings.items, item_order_id => settings.item_order_id, item_category => settings.item_category, item_amount => settings.item_amount,
					currency => settings.currency, time_zone => settings.time_zone, margin => settings.margin);
			EXCEPTION WHEN OTHERS THEN
				RAISE SQLSTATE 'RTRIP';  -- its tables are gone, or not what a store can be created over
			END;
			IF round_trip.columns_of('round trip') <> round_trip.columns_of(store) THEN
				RAISE SQLSTATE 'RTRIP';  -- somebody has renamed those of the view
			END IF;
			outcome := 'failed';
			-- A store that was never refreshed learns nothing.
			document := jsonb_set(document, '{segmentations}', (SELECT jsonb_agg(g - 'learned') FROM jsonb_array_elements(document -> 'segmentations') g
				WHERE NOT g ? 'learned' OR g ->> 'segmentation' = 'main'));
			PERFORM clientele.apply_definitions('round trip', document);
			IF clientele.export_definitions('round trip')::text <> document::text THEN
				outcome := format('another store has %s', clientele.export_definitions('round trip'));
				RAISE SQLSTATE 'RTRIP';
			END IF;
			outcome := 'exact, in another store, too';
			RAISE SQLSTATE 'RTRIP';
		EXCEPTION WHEN SQLSTATE 'RTRIP' THEN
			NULL;
		WHEN insufficient_privilege THEN
			outcome := NULL;  -- not for who is asking
		WHEN OTHERS THEN
			outcome := CASE WHEN SQLERRM NOT LIKE 'store % has lost %' THEN SQLERRM END;  -- its tables are gone
		END;
		RETURN outcome;
	END $$;
	CREATE FUNCTION round_trip.check() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
	DECLARE
		shop record;
	BEGIN
		FOR shop IN SELECT u.store FROM clientele._usable_stores() u WHERE pg_has_role(u.owner, 'USAGE') LOOP
			RAISE WARNING 'ROUND TRIP of %: %', shop.store, round_trip.outcome(shop.store);
		END LOOP;
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'ROUND TRIP not possible here: %', SQLERRM;
	END $$;
};

# Creating the extension takes longer than copying a database that has it.
$node->safe_psql('postgres', 'CREATE DATABASE with_extension');
$node->safe_psql('with_extension', "CREATE EXTENSION clientele;\n$checks");

my ($stores, $others) = (0, 0);
sub check
{
	my ($name, $sql) = @_;
	my $database = 'round_trip_' . ($name =~ s/\W+/_/gr);
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE with_extension");
	# Before anything is taken away, and at the end.
	$sql =~ s/^(?=SELECT clientele\.drop_store\(|ROLLBACK;|DROP (?:SCHEMA|OWNED)|RESET ROLE)/SELECT round_trip.check();\n/mg;
	my $file = $node->basedir . "/$database.sql";
	append_to_file($file, "$sql\nRESET ROLE;\nSELECT round_trip.check();\n");
	my $errors = '';
	$node->psql($database, "\\i $file", stderr => \$errors, on_error_stop => 0, extra_params => [ '-v', "CLIENTELE_DATA=$ENV{CLIENTELE_DATA}" ]);
	my @outcomes = grep { !/<NULL>$/ } $errors =~ /ROUND TRIP of (.*)/g;
	my @wrong = grep { !/: exact/ } @outcomes;
	$stores += @outcomes;
	$others += grep { /in another store/ } @outcomes;
	is(join("\n", @wrong), '', "$name: " . scalar @outcomes . ' stores');
	$node->safe_psql('postgres', "DROP DATABASE $database");
	return;
}

$ENV{CLIENTELE_DATA} //= '';
for my $page ('README.md', glob 'docs/*.md')
{
	my $text = slurp_file($page);
	check($page, join("\n", $text =~ /^```sql\n(.*?)^```\n/msg)) if $text =~ /clientele\.define_|learn_segments/;
}
for my $test (grep { slurp_file($_) =~ /clientele\.(?:define_|learn_segments|set_)/ } glob 'sql/*.sql')
{
	next if $test eq 'sql/definitions.sql';
	check($test, slurp_file($test));
}
check('demo', join("\n", map { slurp_file("demo/$_.sql") } 'generate', 'demo') =~ s/\\set ON_ERROR_STOP on//gr);
cmp_ok($stores, '>', 100, "definitions of $stores stores were dropped and applied again");
cmp_ok($others, '>', 100, "and those of $others to another store");

$node->stop('fast');
done_testing();
