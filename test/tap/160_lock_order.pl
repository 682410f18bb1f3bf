# The order of locks (docs/architecture.md): each function is stopped at each place where it can be, each other one is run
# against it, and nobody is the victim of a deadlock. Then all of them at once.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('lock_order', "deadlock_timeout = '100ms'\nautovacuum = off\n");
if ($node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'dblink'}) eq '0')
{
	plan skip_all => 'needs the contrib module dblink';
}

$node->safe_psql('postgres', q{
	CREATE EXTENSION clientele;
	CREATE EXTENSION dblink;
	CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
	CREATE INDEX ON orders (customer_id);
	INSERT INTO orders SELECT 10 * c + n, c, now() - interval '40 days' - n * interval '9 days', 40 FROM generate_series(1, 12) c, generate_series(1, 4) n;
	SELECT clientele.create_store('shop', 'orders', live => true);
	CALL clientele.refresh('shop');
	SELECT clientele.define_segment('shop', 'few', 'orders < 3'),
		clientele.define_offer('shop', 'stretch', 'grow_order_value', budget => 30), clientele.define_offer('shop', 'back', 'win_back', priority => 5);

	CREATE FUNCTION exposure(id bigint, customer bigint, state text, ordered bigint DEFAULT NULL, ends interval DEFAULT '7 days', holdout text DEFAULT NULL) RETURNS void
	LANGUAGE sql AS $$
		INSERT INTO shop.ledger (exposure_id, customer_id, period, program, program_version, holdout, global_holdout, basis, reference_value, min_spend, reward,
			reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until, code, slot, state, closed_at, order_id, ordered_at, order_value)
		OVERRIDING SYSTEM VALUE SELECT id, customer, 1, 'stretch', 1, holdout, 0, 'typical', 40, 60, 3, 'amount_off', 'USD', 'spend', '{}', 'default', 1,
			now() - interval '10 days', now() + ends, CASE WHEN holdout IS NULL THEN clientele._canonical_code(repeat(substr('CDFGHJKMNPQR', id::integer, 1), 10)) END,
			CASE WHEN holdout IS NULL THEN id % 16 END, state, CASE WHEN state <> 'open' THEN now() END, ordered,
			CASE WHEN ordered IS NOT NULL THEN now() - interval '5 days' END, CASE WHEN ordered IS NOT NULL THEN 70 END
	$$;
	-- All of a budget is promised. Of the exposures one can be redeemed by code or by its order, two are reversed of which one
	-- order qualifies again, two have ended, one is held out; and a trigger is disabled.
	CREATE FUNCTION prepare() RETURNS void LANGUAGE plpgsql AS $$
	DECLARE disabled name;
	BEGIN
		DELETE FROM shop.reversals;
		DELETE FROM shop.ledger;
		DELETE FROM shop.campaigns;
		DELETE FROM orders WHERE order_id >= 900;
		INSERT INTO orders SELECT 900 + c, c, now() - interval '5 days', 70 FROM unnest('{1,2,5,7,8}'::bigint[]) c;
		PERFORM exposure(1, 1, 'open'), exposure(2, 2, 'redeemed', 902), exposure(3, 3, 'redeemed', 903), exposure(4, 4, 'open', ends => '-1 day'),
			exposure(5, 5, 'open', holdout => 'program'), exposure(7, 7, 'redeemed', 907), exposure(8, 8, 'open'), exposure(9, 9, 'open', ends => '-2 days');
		INSERT INTO shop.reversals SELECT e, now() FROM unnest('{2,3}'::bigint[]) e;
		DELETE FROM shop.budgets;
		INSERT INTO shop.budgets SELECT 'stretch', s, CASE s WHEN 0 THEN 9 ELSE 0 END FROM generate_series(0, 15) s;
		UPDATE shop.programs SET budget = CASE program WHEN 'stretch' THEN 30 END;
		FOR disabled IN SELECT t.name FROM clientele._triggers(clientele._settings('shop')) t WHERE t.event = 'truncate' AND t.enabled LOOP
			EXECUTE format('ALTER TABLE orders DISABLE TRIGGER %I', disabled);
		END LOOP;
	END $$;

	-- Waits until a session has ended its statement, or waits for a lock, or tries again and again to get one.
	CREATE FUNCTION has_stopped(session text, pid integer) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN 1..20000 LOOP
			IF dblink_is_busy(session) = 0 THEN RETURN false; END IF;
			PERFORM pg_stat_clear_snapshot();
			IF EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = $2 AND (a.wait_event_type = 'Lock' OR a.wait_event = 'PgSleep')) THEN RETURN true; END IF;
			PERFORM pg_sleep(0.0005);
		END LOOP;
		RAISE EXCEPTION 'session % neither ends nor waits', session;
	END $$;
	-- What has become of a session's statements: nothing, or a SQLSTATE.
	CREATE FUNCTION outcome(session text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE state text := '';
	BEGIN
		FOR n IN 1..5 LOOP
			BEGIN
				PERFORM FROM dblink_get_result(session) AS r (answer text);
			EXCEPTION WHEN OTHERS THEN
				state := SQLSTATE;
			END;
		END LOOP;
		PERFORM dblink_exec(session, 'ROLLBACK');
		RETURN state;
	END $$;
	-- While somebody holds something: one session, then the other, each as far as it comes. NULL where the first does not stop.
	CREATE FUNCTION trial(hold text, one text, other text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE stops boolean; said text;
	BEGIN
		PERFORM dblink_exec('keeper', 'DO $d$ BEGIN PERFORM prepare(); END $d$');
		PERFORM dblink_exec('keeper', 'BEGIN');
		PERFORM dblink_exec('keeper', format('DO $d$ BEGIN %s; END $d$', hold));
		PERFORM dblink_send_query('one', one);
		stops := has_stopped('one', (SELECT pid FROM pids WHERE session = 'one'));
		IF other IS NOT NULL THEN
			PERFORM dblink_send_query('other', other);
			PERFORM has_stopped('other', (SELECT pid FROM pids WHERE session = 'other'));
		END IF;
		PERFORM dblink_exec('keeper', 'ROLLBACK');
		said := outcome('one');
		IF other IS NOT NULL THEN said := said || ' ' || outcome('other'); END IF;
		RETURN CASE WHEN stops THEN 'stops: ' ELSE 'passes: ' END || said;
	END $$;
});

my %calls = (
	'issue_offer' => q{SELECT count(*)::text FROM clientele.issue_offer(6)},
	'issue_offers' => q{CALL clientele.issue_offers('shop', chunk => 4)},
	'redeem_offer' => q{SELECT clientele.redeem_offer('CCCCC-CCCCC', 901)::text},
	'settle_offers' => q{CALL clientele.settle_offers('shop')},
	'void_redemption' => q{SELECT clientele.void_redemption(902)::text},
	'withdraw_offer' => q{SELECT clientele.withdraw_offer(8)::text},
	'forget_customer' => q{SELECT clientele.forget_customer(2)::text},
	'merge_customers' => q{SELECT clientele.merge_customers(2, 3)::text},
	'orders that are given to another, and their customer' => q{BEGIN; UPDATE orders SET customer_id = 2 WHERE customer_id = 8; SELECT clientele.merge_customers(2, 8)::text; COMMIT},
	'orders that are deleted, and their customer' => q{BEGIN; DELETE FROM orders WHERE customer_id = 8; SELECT clientele.forget_customer(8)::text; COMMIT},
	'an order, then an offer' => q{BEGIN; INSERT INTO orders VALUES (991, 6, now(), 70); SELECT count(*)::text FROM clientele.issue_offer(6); COMMIT},
	'an order, then its code' => q{BEGIN; UPDATE orders SET amount = 80 WHERE order_id = 901; SELECT clientele.redeem_offer('CCCCC-CCCCC', 901)::text; COMMIT},
	'a cancellation, then its word' => q{BEGIN; DELETE FROM orders WHERE order_id = 907; SELECT clientele.void_redemption(907)::text; COMMIT},
	'an order, then a refresh' => q{BEGIN; INSERT INTO orders VALUES (992, 6, now(), 70); CALL clientele.refresh('shop'); COMMIT},
	'refresh' => q{CALL clientele.refresh('shop')},
	'record_segments' => q{CALL clientele.record_segments('shop')},
	'set_live' => q{SELECT clientele.set_live('shop', true)::text},
	'set_live to false' => q{BEGIN; SELECT clientele.set_live('shop', false)::text; ROLLBACK},
	'drop_store' => q{BEGIN; SELECT clientele.drop_store('shop', force => true)::text; ROLLBACK},
	'alter_store' => q{BEGIN; SELECT clientele.alter_store('shop', order_filter => 'amount > 1')::text; ROLLBACK},
	'detach and attach' => q{BEGIN; SELECT clientele.detach_store('shop')::text; SELECT clientele.attach_store('shop')::text; ROLLBACK},
	'define_offer' => q{SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', budget => 60)::text},
	'define_offer with a first budget' => q{SELECT clientele.define_offer('shop', 'back', 'win_back', budget => 60, priority => 5)::text},
	'apply_definitions' => q{SELECT count(*)::text FROM clientele.apply_definitions('shop', '{"format": 1, "programs": [
		{"program": "stretch", "objective": "grow_order_value", "budget": 60}, {"program": "back", "objective": "win_back", "budget": 60, "priority": 5}]}')},
	'rename_segment' => q{BEGIN; SELECT clientele.rename_segment('shop', 'few', 'fewer')::text; ROLLBACK},
	'check_store' => q{SELECT count(*)::text FROM clientele.check_store('shop', repair => true)});

# Where they can be stopped.
my %holds = (
	'the orders, as a writer' => q{INSERT INTO orders VALUES (999, 99, now(), 1)},
	'the orders, for good' => q{LOCK TABLE orders},
	'the store' => q{PERFORM clientele._lock_refresh('shop', 'a test')},
	'the settings' => q{PERFORM FROM shop.settings FOR UPDATE},
	'the history' => q{PERFORM FROM shop.event_counter FOR UPDATE},
	'the campaigns' => q{INSERT INTO shop.campaigns SELECT p, now(), NULL, 0, 0, 0 FROM unnest('{"",stretch}'::text[]) p},
	'the ledger' => q{LOCK TABLE shop.ledger IN SHARE MODE},
	'the exposures' => q{PERFORM FROM shop.ledger FOR UPDATE},
	'the reversals' => q{PERFORM FROM shop.reversals FOR UPDATE},
	'the slots' => q{PERFORM FROM shop.budgets FOR UPDATE},
	'a new exposure' => q{PERFORM exposure(6, 6, 'open')});


# The first one stops, and the other one comes; each of them may find that what it wants is gone, or in use.
sub literal { my ($text) = @_; $text =~ s/'/''/g; return "'$text'"; }
sub rows { my (%of) = @_; return 'VALUES ' . join(', ', map { '(' . literal($_) . ', ' . literal($of{$_}) . ')' } sort keys %of); }
my $connection = literal(sprintf 'host=%s port=%s dbname=postgres options=-cclient_min_messages=error', $node->host, $node->port);
for my $name (sort keys %calls)
{
	my $one = literal($calls{$name});
	# Whoever names no store while the only one is being dropped is told that there is none.
	my $gone = $name eq 'drop_store' ? '42704|' : '';
	my $answer = $node->safe_psql('postgres', qq{
		CREATE TEMP TABLE pids AS SELECT s AS session, dblink_connect(s, $connection), p.pid
			FROM unnest('{keeper,one,other}'::text[]) s, LATERAL (SELECT 0 WHERE s IS NOT NULL) z, LATERAL (SELECT NULL::integer AS pid) p;
		UPDATE pids SET pid = p.pid FROM pids q, LATERAL dblink(q.session, 'SELECT pg_backend_pid()') AS p (pid integer) WHERE q.session = pids.session;
		CREATE TEMP TABLE stops AS SELECT h.name, h.hold FROM (@{[ rows(%holds) ]}) h (name, hold) WHERE trial(h.hold, $one) LIKE 'stops%';
		CREATE TEMP TABLE trials AS SELECT s.name AS hold, c.name AS other, trial(s.hold, $one, c.call) AS said FROM stops s, (@{[ rows(%calls) ]}) c (name, call);
		SELECT format('%s: %s: %s', t.hold, t.other, t.said) FROM trials t WHERE t.said !~ '^[a-z]+: (P0002|OF00[1-5]|23505|55000|55006|55P03|40001|) (${gone}P0002|OF00[1-5]|23505|55000|55006|55P03|40001|)\$';
		SELECT format('stopped by %s; %s trials', (SELECT string_agg(s.name, ', ') FROM stops s), (SELECT count(*) FROM trials))});
	my ($summary) = $answer =~ /(stopped by .*)$/;
	$answer =~ s/stopped by .*$//;
	is($answer, '', "$name: $summary");
}
# All of it at once. What is refused is refused; whoever is the victim of a deadlock fails.
$node->safe_psql('postgres', q{
	DELETE FROM shop.reversals; DELETE FROM shop.ledger; DELETE FROM shop.campaigns; DELETE FROM shop.forgotten;
	DELETE FROM orders;
	INSERT INTO orders SELECT 10 * c + n, c, now() - interval '40 days' - n * interval '9 days', 40 FROM generate_series(1, 300) c, generate_series(1, 4) n;
	CREATE SEQUENCE next_order START 100000;
	SET client_min_messages = warning;
	SELECT clientele.set_live('shop', true);
	CALL clientele.refresh('shop');
	SELECT clientele.define_offer('shop', 'back', 'win_back', priority => 5), clientele.define_offer('shop', 'stretch', 'grow_order_value');
	SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', budget => 300, holdout => 0.1);
	CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE statement;
		RETURN 'done';
	EXCEPTION WHEN no_data_found OR unique_violation OR object_not_in_prerequisite_state OR object_in_use OR check_violation OR invalid_parameter_value
			OR SQLSTATE 'OF001' OR SQLSTATE 'OF002' OR SQLSTATE 'OF003' OR SQLSTATE 'OF004' OR SQLSTATE 'OF005' OR SQLSTATE 'OF006' OR SQLSTATE 'OF007' OR SQLSTATE 'OF008' THEN
		RETURN SQLSTATE;
	END $$;
	CREATE FUNCTION take_up(customer bigint) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE code text; id bigint := nextval('next_order');
	BEGIN
		SELECT i.code INTO code FROM clientele.issue_offer(customer) i;
		INSERT INTO orders VALUES (id, customer, clock_timestamp(), 80);
		IF code IS NOT NULL THEN PERFORM attempt(format('SELECT clientele.redeem_offer(%L, %s)', code, id)); END IF;
	END $$;
	CREATE FUNCTION take_back(customer bigint) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE id bigint := (SELECT max(l.order_id) FROM shop.ledger l WHERE l.customer_id = customer AND l.state = 'redeemed');
	BEGIN
		DELETE FROM orders WHERE order_id = id;
		IF customer % 2 = 0 THEN PERFORM clientele.void_redemption(id) WHERE id IS NOT NULL; END IF;
	END $$});
my %mix = (
	'issue' => [ 10, q{SELECT count(*) FROM clientele.issue_offer(:c)} ],
	'take up' => [ 10, q{SELECT take_up(:c)} ],
	'take back' => [ 5, q{SELECT take_back(:c)} ],
	'withdraw' => [ 3, q{SELECT clientele.withdraw_offer(exposure_id) FROM shop.ledger WHERE customer_id = :c AND state = 'open'} ],
	'campaign' => [ 2, q{CALL clientele.issue_offers('shop', chunk => 60)} ],
	'settle' => [ 3, q{CALL clientele.settle_offers('shop', chunk => 40)} ],
	'forget' => [ 1, q{SELECT attempt(format('SELECT clientele.forget_customer(%s)', :c))} ],
	'define' => [ 1, q{SELECT attempt(format('SELECT clientele.define_offer(''shop'', ''stretch'', ''grow_order_value'', budget => %s, holdout => 0.1)', 300 + :c))} ],
	'first budget' => [ 1, q{SELECT attempt(format('SELECT clientele.define_offer(''shop'', ''back'', ''win_back'', priority => 5, budget => %s)', CASE WHEN :c % 2 = 0 THEN '1000' ELSE 'NULL' END))} ],
	'refresh' => [ 1, q{CALL clientele.refresh('shop')} ],
	'record' => [ 1, q{CALL clientele.record_segments('shop')} ],
	'check' => [ 1, q{SELECT count(*) FROM clientele.check_store('shop', 20, repair => true)} ]);
my @scripts;
for my $name (sort keys %mix)
{
	my ($weight, $statement) = @{ $mix{$name} };
	my $file = $node->basedir . "/$name.sql";
	append_to_file($file, "\\set c random(1, 300)\n$statement;\n");
	push @scripts, '-f', "$file\@$weight";
}
{
	local $ENV{PGOPTIONS} = '-c client_min_messages=error';
	$node->command_like([ 'pgbench', '-n', '-c', 8, '-j', 2, '-T', 10, @scripts, 'postgres' ], qr/number of failed transactions: 0 /, 'all of it at once');
}
$node->safe_psql('postgres', q{SET client_min_messages = warning; CALL clientele.settle_offers('shop')});
is($node->safe_psql('postgres', q{SELECT bool_and(s.remaining = b.remaining), (SELECT count(*) > 100 FROM shop.ledger) FROM shop.budget_status s JOIN shop._budgets b USING (program)}), 't|t', 'budgets are exact');
is(complaints($node), '', 'nothing unexpected in the log: no deadlock, no internal error');
done_testing();
