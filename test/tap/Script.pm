# An extension script as statements, and what is wrong with them whatever a server says: CREATE must not take over what somebody else has put
# there before (CVE-2022-2625), and functions say what they are rather than leave it to defaults.
package Script;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(statements faults_of_install faults_of_upgrade unqualified);

my $comment = qr{--[^\n]*|/\*.*?\*/}s;
my $quoted  = qr{'(?:[^']|'')*'|"(?:[^"]|"")*"};
my $dollars = qr{(?<tag>\$\w*\$).*?\k<tag>}s;

# BEGIN ATOMIC … END has semicolons of its own.
sub statements
{
	my ($script) = @_;
	$script =~ s/^\\.*\n//mg;
	my ($statement, @statements) = ('');
	while ($script =~ /\G(?:$comment|(?<piece>$dollars|$quoted|\bBEGIN\s+ATOMIC\b.*?;\s*END\b|\w+|\s+|.))/gsi)
	{
		my $piece = $+{piece} // next;
		if ($piece ne ';') { $statement .= $piece; next }
		push @statements, trimmed($statement);
		$statement = '';
	}
	push @statements, trimmed($statement) if $statement =~ /\S/;
	return @statements;
}

sub trimmed { my ($text) = @_; $text =~ s/^\s+|\s+$//g; return $text; }

# Without what is quoted; what a DO statement executes is a part of the script.
sub words
{
	my ($statement) = @_;
	return $statement if $statement =~ /^DO\b/;
	$statement =~ s/$dollars|$quoted|$comment/''/gs;
	return $statement;
}

sub starting { my ($statement) = @_; return substr($statement =~ s/\s+/ /gr, 0, 100); }

sub faults_of_install
{
	return map { fault_of($_) // () } @_;
}

sub fault_of
{
	my ($statement) = @_;
	my $words = words($statement);
	return 'takes over what is there: ' . starting($statement) if $words =~ /\b(?:CREATE\b[^;(]*?|ADD\s+(?:COLUMN|VALUE|ATTRIBUTE)\s+)\bIF\s+NOT\s+EXISTS\b|\bCREATE\s+OR\s+REPLACE\b/i;
	for my $function ($words =~ /(\bCREATE\s+FUNCTION\b.*?)(?=\bCREATE\s+FUNCTION\b|\z)/gsi)
	{
		return 'has no volatility: ' . starting($statement) if $function !~ /\b(?:IMMUTABLE|STABLE|VOLATILE)\b/;
		return 'has no PARALLEL: ' . starting($statement)   if $function !~ /\bPARALLEL\s+(?:SAFE|RESTRICTED|UNSAFE)\b/;
	}
	return 'has no PARALLEL: ' . starting($statement) if $words =~ /^CREATE\s+AGGREGATE\b/i && $words !~ /\bPARALLEL\s*=/i;
	return;
}

# An upgrade may replace what the former version has, as it is: is_there says whether a CREATE of this statement would meet it there.
sub faults_of_upgrade
{
	my ($is_there, @statements) = @_;
	my @faults;
	for my $statement (@statements)
	{
		my $plain = $statement;
		if ($plain =~ s/^CREATE\s+OR\s+REPLACE\s+(FUNCTION|PROCEDURE|VIEW)\b/CREATE $1/i)
		{
			push @faults, 'replaces what the former version has not, or not so: ' . starting($statement) unless $is_there->($plain);
		}
		push @faults, fault_of($plain) // ();
	}
	return @faults;
}

# What a body calls, converts to or compares by without a schema.
sub unqualified
{
	my ($body) = @_;
	$body =~ s/$comment|$quoted/''/gs;
	$body =~ s/\bOPERATOR\(pg_catalog\.[^)]+\)//g;
	my $syntax = qr/IF|WHILE|VALUES|AND|OR|NOT|IN|EXISTS|COALESCE|NULLIF|CAST|ROW|ARRAY/i;
	return grep { !/^$syntax$/ } ($body =~ /(?<![\w.])(\w+)\s*\(/g, $body =~ /::\s*(\w+)\b(?!\.)/g, $body =~ /(?<![:<>=])([<>=+\/-]+)(?![<>=])/g);
}

1;
