#!/usr/bin/env perl
# How long functions are: scripts/lengths.pl [CHECKOUT]
# Prints the median, the ninetieth percentile and the longest of the C++ functions and of the PL/pgSQL functions of a checkout (this one unless
# another is named), by the lines between their braces or dollars. Lists what is longer than CONTRIBUTING.md allows, and then fails: a C++ function
# of more than 50 lines, a PL/pgSQL function of more than 60, a line of src/sql of more than 140 columns.
use strict;
use warnings;
use File::Basename;
use File::Find;

my %most      = ('C++' => 50, 'PL/pgSQL' => 60);
my $columns   = 140;
my $qualifier = qr/const|noexcept|override|final|mutable|->[\w:<>&*,\s]+/;
my (%lengths, @too_long);

chdir($ARGV[0] // dirname(__FILE__) . '/..') or die "$ARGV[0]: $!\n";
find({ wanted => sub { measure_cpp($_) if /\.[ch]pp$/ }, no_chdir => 1 }, 'src');
measure_sql($_) for glob 'src/sql/*.sql';
summarise($_) for sort keys %lengths;
print "$_\n" for sort @too_long;
exit(@too_long ? 1 : 0);

sub summarise
{
	my ($language) = @_;
	my @sorted = sort { $a <=> $b } @{ $lengths{$language} };
	printf "%s: %d functions, median %d lines, 90 %% %d, longest %d\n", $language, scalar @sorted, $sorted[ @sorted / 2 ],
	  $sorted[ @sorted * 0.9 ], $sorted[-1];
	return;
}

sub note
{
	my ($language, $file, $line, $name, $length) = @_;
	push @{ $lengths{$language} }, $length;
	push @too_long, "$file:$line: $name has $length lines" if $length > $most{$language};
	return;
}

sub measure_sql
{
	my ($file) = @_;
	my $text   = read_file($file);
	my $number = 0;
	for my $line (split /\n/, $text)
	{
		$number++;
		push @too_long, "$file:$number: the line has " . length($line) . ' columns' if length($line) > $columns;
	}
	while ($text =~ /^CREATE (?:FUNCTION|PROCEDURE) (\S+?)\((?:(?!^CREATE ).)*?\bAS (\$\w*\$)(.*?)\2/gms)
	{
		my ($name, $body, $start) = ($1, $3, $-[0]);
		my $head = substr $text, $start, $-[2] - $start;
		note('PL/pgSQL', $file, line_at($text, $start), $name, ($body =~ tr/\n//) - 1) if $head =~ /\bLANGUAGE plpgsql\b/;
	}
	return;
}

# Goes from brace to brace. What stands before an opening one says whether a function begins there, or what may contain functions.
sub measure_cpp
{
	my ($file) = @_;
	my $text  = code_only(read_file($file));
	my $start = 0;    # of the declaration at hand
	while ($text =~ /[;{}]/g)
	{
		my $at   = $-[0];
		my $head = substr $text, $start, $at - $start;
		if ($& eq ';' || $& eq '}') { $start = $at + 1 unless is_open($head); next }
		if (is_open($head) || $head =~ /\)\s*:[^:].*[\w>]\s*\z/s)
		{
			pos($text) = end_of_block($text, $at);    # a default argument, or a member's initial value: the declaration goes on
		}
		elsif ($head =~ /[)}]\s*(?:$qualifier\s*)*\z/ && $head =~ /\(/)
		{
			my $end = end_of_block($text, $at);
			note('C++', $file, line_at($text, $at), name_in($head), lines_of(substr $text, $at, $end - $at));
			pos($text) = $start = $end;
		}
		elsif ($head =~ /\b(?:namespace|class|struct|union)\b|extern\s*""\s*\z/) { $start = $at + 1 }
		else                                                                 { pos($text) = end_of_block($text, $at) }
	}
	return;
}

# Whether a parenthesis is still open.
sub is_open { my ($text) = @_; return ($text =~ tr/(//) > ($text =~ tr/)//) }

sub name_in
{
	my ($head) = @_;
	return $1 if $head =~ /CLIENTELE_FUNCTION\((\w+)/;
	return $head =~ /([\w:~]+|operator\W+?)\s*\((?!\()/ ? $1 : 'a function';
}

# A block that begins and ends on one line has one.
sub lines_of
{
	my ($block) = @_;
	my $breaks = $block =~ tr/\n//;
	return $breaks > 1 ? $breaks - 1 : 1;
}

sub end_of_block
{
	my ($text, $at) = @_;
	my $depth = 0;
	pos($text) = $at;
	while ($text =~ /[{}]/g)
	{
		$depth += $& eq '{' ? 1 : -1;
		return $+[0] if $depth == 0;
	}
	die "a brace is not closed\n";
}

# Without comments, what is quoted, and the preprocessor's lines, but with all line breaks.
sub code_only
{
	my ($text) = @_;
	$text =~ s{(R"(\w*)\(.*?\)\2"|"(?:[^"\\\n]|\\.)*")|(//[^\n]*|/\*.*?\*/|^\#(?:[^\n]*\\\n)*[^\n]*)|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'}
	          {breaks_of($&, defined $1 ? '""' : defined $3 ? '' : '0')}gsme;
	return $text;
}

sub breaks_of
{
	my ($text, $instead) = @_;
	return $instead . "\n" x ($text =~ tr/\n//);
}

sub line_at { my ($text, $at) = @_; return 1 + (substr($text, 0, $at) =~ tr/\n//) }

sub read_file
{
	my ($name) = @_;
	open my $file, '<', $name or die "$name: $!\n";
	local $/;
	my $text = <$file>;
	close $file;
	return $text;
}
