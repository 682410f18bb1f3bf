# Keys in databases of other encodings: they hash as in UTF-8, and one that cannot be converted concerns its customer alone.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = new_server('encodings', undef, extra => [ '--no-locale', '--encoding=UTF8' ]);

# A shop of three customers in a database of that encoding; bytes: the hexadecimal digits of the third one's key.
sub shop_in
{
	my ($encoding, $bytes) = @_;
	my $database = lc $encoding;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($database, qq{
		SET client_min_messages = warning;
		CREATE EXTENSION clientele;
		CREATE TABLE orders (order_id int PRIMARY KEY, customer_id text, ordered_at timestamptz, amount numeric);
		INSERT INTO orders VALUES (1, 'ann', now() - interval '30 days', 40), (2, 'bob', now() - interval '30 days', 50),
			(3, convert_from('\\x$bytes', '$encoding'), now() - interval '30 days', 60);
		SELECT clientele.create_store('shop', orders => 'public.orders');
		CALL clientele.refresh('shop');
		SELECT clientele.define_offer('shop', 'p', 'grow_order_value', holdout => 0.3, arms => '[{"stretch": 1.4}, {"stretch": 1.6}]');
		SELECT clientele.set_global_holdout('shop', 0.1);
	});
	return $database;
}

sub bucket
{
	my ($database, $bytes) = @_;
	return $node->safe_psql($database, "SELECT clientele.bucket('seed', convert_from('\\x$bytes', getdatabaseencoding()))");
}

# Everybody has a decision and an exposure, and is found one by one.
sub everybody_is_served
{
	my ($database, $what) = @_;
	is($node->safe_psql($database, 'SELECT count(*) FROM shop.offer_decisions'), '3', "$what: decisions for everybody");
	$node->safe_psql($database, "SET client_min_messages = warning; CALL clientele.issue_offers('shop', 'p')");
	is($node->safe_psql($database, 'SELECT count(DISTINCT customer_id) FROM shop.exposures'), '3', "$what: exposures for everybody");
	is($node->safe_psql($database, 'SELECT count(*) FROM orders o, clientele.explain_offer(o.customer_id) e WHERE e.explanation IS NOT NULL'), '3', "$what: explained one by one");
	return;
}

my %bucket_of = map { $_ => $node->safe_psql('postgres', "CREATE EXTENSION IF NOT EXISTS clientele; SELECT clientele.bucket('seed', U&'$_')") }
	'caf\00E9', '\65E5\672C', '\00FFz\0080';

# SQL_ASCII: any bytes are a key.
my $ascii = shop_in('SQL_ASCII', 'ff7a80');
everybody_is_served($ascii, 'SQL_ASCII');
is(bucket($ascii, '636166c3a9'), $bucket_of{'caf\00E9'}, 'SQL_ASCII: what is valid UTF-8 hashes as such');
is(bucket($ascii, 'ff7a80'), $bucket_of{'\00FFz\0080'}, 'SQL_ASCII: other bytes hash one by one');
is(bucket($ascii, 'c3'), $node->safe_psql('postgres', "SELECT clientele.bucket('seed', U&'\\00C3')"), 'SQL_ASCII: so does half a character');
is($node->safe_psql($ascii, "SELECT clientele.choose_variant('seed', convert_from('\\xff', 'SQL_ASCII'), '{0.5,0.5}') IN (0, 1)"), 't', 'SQL_ASCII: variants too');

# LATIN1: every key has a form in UTF-8.
my $latin = shop_in('LATIN1', '636166e9');
everybody_is_served($latin, 'LATIN1');
is(bucket($latin, '636166e9'), $bucket_of{'caf\00E9'}, 'LATIN1: hashed as in UTF-8');

# EUC_JP: \xf5a1 is valid, and not in Unicode.
my $japanese = shop_in('EUC_JP', 'f5a1');
everybody_is_served($japanese, 'EUC_JP');
is(bucket($japanese, 'c6fccbdc'), $bucket_of{'\65E5\672C'}, 'EUC_JP: hashed as in UTF-8');
is(bucket($japanese, 'f5a1'), $node->safe_psql('postgres', "SELECT clientele.bucket('seed', U&'\\00F5\\00A1')"), 'EUC_JP: without such a form, byte by byte');

done_testing();
