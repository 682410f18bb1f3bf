# scripts/orders-file.pl: exports of shop systems, and CSVs of any kind, are read right or refused with the way out.
use strict;
use warnings;
use utf8;
use Encode ();
use File::Temp qw(tempdir);
use Test::More;

my $directory = tempdir(CLEANUP => 1);

# What it writes, or undef where it refuses; what it says; and its settings.
sub reading
{
	my ($text, %with) = @_;
	my $encoding = delete $with{_encoding} // 'UTF-8';
	local %ENV = (%ENV, %with);
	delete @ENV{ grep { !exists $with{$_} } qw(CUSTOMER_ID ORDERED_AT AMOUNT ORDER_ID TIME_ZONE CURRENCY DATES PGDATESTYLE DECIMAL LINES_ARE STATUS) };
	open my $file, '>:raw', "$directory/in.csv" or die;
	print $file Encode::encode($encoding, $text);
	close $file;
	unlink "$directory/out.csv";
	my $settings = `perl scripts/orders-file.pl $directory/in.csv $directory/out.csv 2>$directory/said`;
	my $refused = $? != 0;
	return { refused => $refused, said => content('said'), orders => content('out.csv'), settings => $settings };
}

sub content
{
	my ($name) = @_;
	open my $in, '<:encoding(UTF-8)', "$directory/$name" or return undef;
	local $/;
	return <$in>;
}

sub reads
{
	my ($name, $text, $orders, %with) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = reading($text, %with);
	return is($result->{orders}, $orders, $name) || diag($result->{said});
}

sub refuses
{
	my ($name, $text, $said, %with) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = reading($text, %with);
	ok($result->{refused} && !defined $result->{orders}, "$name is refused");
	return like($result->{said}, $said, "$name: which row, and the way out");
}

# ---- Any CSV ----

my $header = "customer_id,ordered_at,amount\n";
reads('a plain file', "${header}7,2026-01-31 14:05:09,12.50\n8,2026-02-01T00:00:00+02:00,3\n", qq{"row 1",7,"2026-01-31 14:05:09",12.50,\n"row 2",8,"2026-02-01 00:00:00+02:00",3,\n});
reads('blank lines, spaces, other columns, another order and case', "\n note ,AMOUNT, Customer_ID ,ordered_at\nx, 5 , 7 ,2026-01-31\n\n,,,\n", qq{"row 1",7,"2026-01-31 00:00:00",5,\n});
reads('names of one\'s own, an order id', "who;when;worth;no\n7;2026-01-31;5;A1\n", qq{A1,7,"2026-01-31 00:00:00",5,\n},
	CUSTOMER_ID => 'who', ORDERED_AT => 'when', AMOUNT => 'worth', ORDER_ID => 'no');
reads('UTF-16 and its line ends', "${header}ä,2026-01-31,5\r\n", qq{"row 1",ä,"2026-01-31 00:00:00",5,\n}, _encoding => 'UTF-16');
reads('Latin-1', "${header}ä,2026-01-31,5\n", qq{"row 1",ä,"2026-01-31 00:00:00",5,\n}, _encoding => 'iso-8859-1');
reads('quotes, and lines within them', qq{${header}"a ""b"",\nc",2026-01-31,5\n}, qq{"row 1","a ""b"",\nc","2026-01-31 00:00:00",5,\n});
reads('a guest, one without a time, one without an amount', "${header}0,2026-01-31,5\n,2026-01-31,6\n7,,1\n7,2026-01-31,\n",
	qq{"row 1",,"2026-01-31 00:00:00",5,\n"row 2",,"2026-01-31 00:00:00",6,\n"row 3",7,,1,\n"row 4",7,"2026-01-31 00:00:00",,\n});
refuses('a file without customers', "${header}0,2026-01-31,5\n0,2026-01-31,6\n", qr/names no customer.*0 is a guest.*\n.*CUSTOMER_ID=/);
refuses('a missing column', "customer,ordered_at,amount\n7,2026-01-31,5\n", qr/no column "customer_id". Its columns are: "customer", "ordered_at", "amount"\.\n.*CUSTOMER_ID="customer"/);
refuses('a header alone', $header, qr/no rows/);
refuses('an empty file', "  \n", qr/empty/);
refuses('an open quote', qq{${header}7,2026-01-31,"5\n}, qr/Row 1 after the header is no CSV/);

# ---- Times ----

my %times = ('31.1.2026 14:05' => '2026-01-31 14:05:00', '1/31/2026 2:05 PM' => '2026-01-31 14:05:00', '1/31/2026 12:05:01 AM' => '2026-01-31 00:05:01',
	'2026/1/31' => '2026-01-31 00:00:00', 'Jan 31, 2026' => '2026-01-31 00:00:00', '31 January 2026 09:00' => '2026-01-31 09:00:00',
	'2026-01-31T14:05:09.25Z' => '2026-01-31 14:05:09.25+00', '2026-01-31 14:05:09 -0500' => '2026-01-31 14:05:09-0500', '2026-01-31 14:05 UTC' => '2026-01-31 14:05:00+00', '29.02.2024' => '2024-02-29 00:00:00');
reads("time $_", qq{${header}7,"$_",5\n}, qq{"row 1",7,"$times{$_}",5,\n}) for sort keys %times;
refuses("time $_", qq{${header}7,2026-01-31,5\n7,"$_",5\n}, qr/"ordered_at", row 2 after the header: cannot read "\Q$_\E"\.\nAccepted are times/)
  for '2026-02-30', '29.02.2026', '2026-13-01', '46053', '1/31/26', '2026-01-31 25:00', '1/31/2026 13:05 PM', 'yesterday', 'NaN', 'infinity';
refuses('March or April', "${header}7,3/4/2026,5\n7,5/6/2026,5\n", qr{in row 1 "3/4/2026" may be read day first or month first.\n.*DATES=DMY or DATES=MDY});
reads('March by what one says', "${header}7,3/4/2026,5\n", qq{"row 1",7,"2026-03-04 00:00:00",5,\n}, DATES => 'MDY');
reads('April by what one says', "${header}7,3/4/2026,5\n", qq{"row 1",7,"2026-04-03 00:00:00",5,\n}, DATES => 'DMY');
reads('April by another row', "${header}7,3/4/2026,5\n7,13/4/2026,5\n", qq{"row 1",7,"2026-04-03 00:00:00",5,\n"row 2",7,"2026-04-13 00:00:00",5,\n});
refuses('both at once', "${header}7,1/13/2026,5\n7,13/4/2026,5\n", qr/rows 2 and 1 say both/);

# ---- Amounts ----

my %amounts = ('$1,234.50' => '1234.50', '1.234,50 €' => '1234.50', '1 234,50' => '1234.50', '-$3.20' => '-3.20', '($3.20)' => '-3.20', '12,5' => '12.5', '1,234,567' => '1234567', '0.5' => '0.5', '.5' => '.5',
	'CHF 12.00' => '12.00', '12,00 kr' => '12.00', "1'234.50" => '1234.50', '12' => '12');
reads("amount $_", qq{${header}7,2026-01-31,"$_"\n}, qq{"row 1",7,"2026-01-31 00:00:00",$amounts{$_},\n}) for sort keys %amounts;
refuses("amount $_", qq{${header}7,2026-01-31,1.25\n7,2026-01-31,"$_"\n}, qr/"amount", row 2 after the header: cannot read "\Q$_\E"\.\nAccepted are numbers/) for 'NaN', '1e5', '12,34.5', 'free', '1.2.3', '--5';
refuses('one thousand or one', qq{${header}7,2026-01-31,"1,234"\n}, qr/may be thousands or decimals.\n.*DECIMAL=/);
reads('a thousand by what one says', qq{${header}7,2026-01-31,"1,234"\n}, qq{"row 1",7,"2026-01-31 00:00:00",1234,\n}, DECIMAL => '.');
refuses('both marks at once', qq{${header}7,2026-01-31,"1,5"\n7,2026-01-31,2.5\n}, qr/in row 2 has a decimal point, "1,5" in row 1 a decimal comma/);

# ---- Currencies, states, refunds, addresses ----

is(reading(qq{${header}7,2026-01-31,€5.00\n})->{settings}, "currency=EUR\ntime_zone=UTC\n", 'the currency that the amounts name');
is(reading(qq{${header}7,2026-01-31,CHF 5.00\n})->{settings}, "currency=CHF\ntime_zone=UTC\n", 'or its code');
refuses('two currencies', qq{${header}7,2026-01-31,\$5.00\n7,2026-01-31,€5.00\n}, qr/several currencies: .*row 1.*row 2|several currencies: .*row 2.*row 1/);
my $states = "customer_id,ordered_at,amount,status,refunded\n7,2026-01-31,5,completed,0\n7,2026-01-31,6,cancelled,\n7,2026-01-31,7,shipped,2\n";
refuses('a status column', $states, qr/"status" says that not every row.*1 "cancelled", 1 "completed", 1 "shipped".*\n.*STATUS=/);
reads('with the states that count', $states, qq{"row 1",7,"2026-01-31 00:00:00",5,\n"row 3",7,"2026-01-31 00:00:00",7,2.00\n}, STATUS => 'completed, Shipped');
reads('addresses of any case', "${header}Ann\@Example.com,2026-01-31,5\n", qq{"row 1",ann\@example.com,"2026-01-31 00:00:00",5,\n});

# ---- A row a line ----

my $lines = "order_id,customer_id,ordered_at,amount\nA,7,2026-01-31,5.10\nA,7,2026-01-31,5.25\nB,8,2026-01-31,1\n";
refuses('orders of several rows', $lines, qr/1 of 3 rows have a "order_id" that another row has.*\n.*LINES_ARE=sum.*LINES_ARE=first/);
reads('lines added up', $lines, qq{A,7,"2026-01-31 00:00:00",10.35,\nB,8,"2026-01-31 00:00:00",1,\n}, LINES_ARE => 'sum');
reads('the first of each', $lines, qq{A,7,"2026-01-31 00:00:00",5.10,\nB,8,"2026-01-31 00:00:00",1,\n}, LINES_ARE => 'first');

# ---- Exports ----

my $shopify = reading(<<'CSV');
Name,Email,Financial Status,Currency,Subtotal,Total,Created at,Lineitem name,Cancelled at,Refunded Amount
#1,ann@example.com,paid,USD,27.48,34.58,2025-05-12 19:05:48 -0500,"Thing, ""L""",,0.00
#1,ann@example.com,,,,,2025-05-12 19:05:48 -0500,Thing 2,,
#2,ben@example.com,refunded,USD,10.00,12.00,2025-05-13 19:05:48 -0500,Thing,,12.00
#3,ben@example.com,partially_refunded,USD,10.00,12.00,2025-05-14 19:05:48 -0500,Thing,,6.00
#4,,paid,USD,9.00,9.00,2025-05-14 19:05:48 -0500,Thing,,0.00
#5,cid@example.com,voided,USD,9.00,9.00,2025-05-14 19:05:48 -0500,Thing,,0.00
#5,cid@example.com,,,,,2025-05-14 19:05:48 -0500,Thing 2,,
#6,cid@example.com,paid,USD,9.00,9.00,2025-05-14 19:05:48 -0500,Thing,2025-05-15 10:00:00 -0500,0.00
#7,cid@example.com,paid,CAD,9.00,9.00,2025-05-14 19:05:48 -0500,Thing,,0.00
CSV
is($shopify->{orders}, <<'CSV', 'Shopify: lines, refunds, guests; not what was voided, cancelled, or in another currency') or diag($shopify->{said});
#1,ann@example.com,"2025-05-12 19:05:48-0500",27.48,
#2,ben@example.com,"2025-05-13 19:05:48-0500",10.00,10.00
#3,ben@example.com,"2025-05-14 19:05:48-0500",10.00,5.00
#4,,"2025-05-14 19:05:48-0500",9.00,
CSV
like($shopify->{said}, qr/An export of Shopify.*4 orders; 1 of guests.*1 in CAD.*1 where "Financial Status" is "voided".*1 with "Cancelled at"/s, 'Shopify: what was left out, and why');

my $stripe = reading(<<'CSV');
id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Currency,Status,Customer ID
ch_1,2025-05-12 19:05:48,27.48,0.00,usd,true,27.48,usd,Paid,cus_1
ch_2,2025-05-12 19:05:48,10.00,0.00,eur,true,11.00,usd,Paid,cus_1
ch_3,2025-05-12 19:05:48,10.00,0.00,usd,true,10.00,usd,Failed,cus_1
ch_4,2025-05-12 19:05:48,10.00,10.00,usd,true,10.00,usd,Refunded,cus_2
ch_5,2025-05-12 19:05:48,10.00,5.00,eur,true,11.00,usd,Paid,
CSV
is($stripe->{orders}, <<'CSV', 'Stripe: converted amounts and refunds, without failures') or diag($stripe->{said});
ch_1,cus_1,"2025-05-12 19:05:48",27.48,
ch_2,cus_1,"2025-05-12 19:05:48",11.00,
ch_4,cus_2,"2025-05-12 19:05:48",10.00,10.00
ch_5,,"2025-05-12 19:05:48",11.00,5.50
CSV
is($stripe->{settings}, "currency=USD\ntime_zone=UTC\n", 'Stripe: its currency and time zone');

my $square = reading(<<'CSV');
Date,Time,Time Zone,Gross Sales,Net Sales,Transaction ID,Customer ID
05/12/2025,19:05:48,Eastern Time (US & Canada),"$1,027.48","$1,027.48",tx1,C50
05/13/2025,09:05:48,Eastern Time (US & Canada),-$5.00,-$5.00,tx2,C50
Total,,,"$1,022.48","$1,022.48",,
CSV
is($square->{orders}, qq{tx1,C50,"2025-05-12 19:05:48",1027.48,\ntx2,C50,"2025-05-13 09:05:48",-5.00,\n}, 'Square: date and time apart, signs, a refund, no totals') or diag($square->{said});
is($square->{settings}, "currency=USD\ntime_zone=America/New_York\n", 'Square: its time zone');
refuses('a zone that is not known', "Date,Time,Time Zone,Net Sales,Transaction ID,Customer ID\n05/13/2025,09:05:48,Mars,1,t,C\n", qr/time zone "Mars".*\n.*TIME_ZONE=/);

my $woo = reading(<<'CSV');
Date,Order #,N. Revenue (formatted),Status,N. Revenue,customer_id
2025-05-12 19:05:48,1237,$27.48,completed,27.48,50
2025-05-12 19:05:48,1238,$7.00,processing,7.00,0
2025-05-12 19:05:48,1239,$8.00,cancelled,8.00,50
CSV
is($woo->{orders}, qq{1237,50,"2025-05-12 19:05:48",27.48,\n1238,,"2025-05-12 19:05:48",7.00,\n}, 'WooCommerce: guests are customer 0; nothing cancelled') or diag($woo->{said});

done_testing();
