#!/usr/bin/env perl
# Drafts what makes of one version of the extension the next: scripts/draft-upgrade.pl OLD NEW, two outputs of scripts/catalogue.sql.
# Functions are replaced, or, where their signature is another, dropped and created; types get attributes at their ends, views columns. What it
# cannot write (a type that loses an attribute, an operator or an aggregate that is another) it lists, and fails.
use strict;
use warnings;
use JSON::PP;

my ($old, $new) = map { read_catalogue($_) } @ARGV;
my (@drops, @statements, @by_hand, %made_anew);

for my $object (@{ $new->{list} })
{
	my $former = $old->{by_name}{"$object->{kind} $object->{name}"};
	if    ($object->{kind} eq 'comment') { comment($object, $former) }
	elsif (!defined $former)             { create($object) }
	elsif (encode($former) ne encode($object)) { change($former, $object) }
}
for my $object (reverse @{ $old->{list} })
{
	next if $object->{kind} eq 'comment' || $new->{by_name}{"$object->{kind} $object->{name}"};
	unshift @drops, "DROP \U$object->{kind}\E $object->{name};\n";
}
if (@by_hand) { print STDERR map { "to be written by hand: $_\n" } @by_hand }
print qq{\\echo Use "ALTER EXTENSION clientele UPDATE" to load this file. \\quit\n\n}, join("\n", @drops, @statements);
exit(@by_hand ? 1 : 0);

sub read_catalogue
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!\n";
	my @list = map { JSON::PP->new->decode($_) } grep { /\S/ } <$in>;
	close $in;
	return { list => \@list, by_name => { map { ("$_->{kind} $_->{name}" => $_) } @list } };
}

sub encode { my ($object) = @_; return JSON::PP->new->canonical->encode($object); }

sub is_function { my ($object) = @_; return $object->{kind} =~ /^(?:function|procedure)$/ }

sub create
{
	my ($object) = @_;
	if (is_function($object)) { push @statements, ($object->{definition} =~ s/^CREATE OR REPLACE/CREATE/r) =~ s/\s*\z/;\n/r }
	elsif ($object->{kind} eq 'view') { push @statements, $object->{definition} =~ s/;?\s*\z/;\n/r }
	elsif (defined $object->{columns}) { push @statements, sprintf "CREATE TYPE %s AS (%s);\n", $object->{name}, join ', ', map { attribute($_) } @{ $object->{columns} } }
	elsif ($object->{kind} eq 'domain') { push @statements, "$object->{definition};\n" }
	else                                { return push @by_hand, "$object->{kind} $object->{name}, which is new" }
	grants($object, {});
	return;
}

sub change
{
	my ($former, $object) = @_;
	if (is_function($object) && $former->{was} eq $object->{was}) { push @statements, $object->{definition} =~ s/\s*\z/;\n/r if $former->{definition} ne $object->{definition} }
	elsif (is_function($object))
	{
		push @drops, "DROP \U$object->{kind}\E $object->{name};\n";
		$made_anew{"\U$object->{kind}\E $object->{name}"} = 1;
		return create($object);
	}
	elsif ($object->{kind} eq 'view') { push @statements, ($object->{definition} =~ s/^CREATE/CREATE OR REPLACE/r) =~ s/;?\s*\z/;\n/r if $former->{definition} ne $object->{definition} }
	elsif (defined $object->{columns}) { change_type($former, $object) }
	elsif (($former->{definition} // '') ne ($object->{definition} // '')) { push @by_hand, "$object->{kind} $object->{name}, which is another" }
	grants($object, $former);
	return;
}

# What was there stays; what was not comes last, wherever it stands in the new version.
sub change_type
{
	my ($former, $object) = @_;
	my %type = map { @$_ } @{ $object->{columns} };
	for my $column (@{ $former->{columns} })
	{
		my ($name, $was) = @$column;
		push @by_hand, "attribute $name of $object->{name}, which goes or is another" unless ($type{$name} // '') eq $was;
		delete $type{$name};
	}
	push @statements, map { "ALTER TYPE $object->{name} ADD ATTRIBUTE " . attribute($_) . ";\n" } grep { exists $type{ $_->[0] } } @{ $object->{columns} };
	return;
}

sub attribute { my ($column) = @_; return sprintf '%s %s', $column->[0] =~ /^[a-z_][a-z0-9_]*\z/ ? $column->[0] : qq{"$column->[0]"}, $column->[1]; }

sub grants
{
	my ($object, $former) = @_;
	my %had = map { ("$_->[0] $_->[1]" => 1) } @{ $former->{grants} // [] };
	my @now = @{ $object->{grants} // [] };
	return push @by_hand, "rights on $object->{kind} $object->{name}" if grep { my $had = $_; !grep { "$_->[0] $_->[1]" eq $had } @now } keys %had;
	push @statements, map { "GRANT $_->[0] ON $object->{name} TO $_->[1];\n" } grep { !$had{"$_->[0] $_->[1]"} } @now;
	return;
}

sub comment
{
	my ($object, $former) = @_;
	return if defined $former && $former->{definition} eq $object->{definition} && !$made_anew{ $object->{name} };
	push @statements, sprintf "COMMENT ON %s IS '%s';\n", $object->{name} =~ s/^COMPOSITE TYPE/TYPE/r, $object->{definition} =~ s/'/''/gr;
	return;
}
