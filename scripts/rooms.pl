#!/usr/bin/env perl
# The floor plan of docs/architecture.md, checked: core knows nothing of PostgreSQL, and no room includes one that stands behind it here.
# Prints what does, and fails.
use strict;
use warnings;
use File::Find;

my @plan = qw(core/base core/profile core/score core/experiment core/response core/offer core/basket core/report
  pg/kit pg/profile pg/segment pg/experiment pg/store pg/score pg/response pg/count pg/lookup pg/live pg/offer pg/basket pg/report);
my %place = map { $plan[$_] => $_ } 0 .. $#plan;
my $mistakes = 0;

sub mistake { print "@_\n"; $mistakes++; return }

sub check_file
{
	my ($file) = @_;
	my ($room) = $file =~ m{^src/((?:core|pg)/\w+)/} or return;    # module.cpp, which uses all
	return mistake("$file: the room $room is not in the plan") unless defined $place{$room};
	open my $in, '<', $file or die "$file: $!\n";
	while (my $line = <$in>)
	{
		my ($included) = $line =~ /^#include "([^"]+)"/ or next;
		if ($included =~ m{^((?:core|pg)/\w+)/})
		{
			mistake("$file: $1 is not in the plan") unless defined $place{$1};
			mistake("$file: includes $included, of a room behind its own") if ($place{$1} // 0) > $place{$room};
			mistake("$file: a _fn file is for nobody to include: $included") if $included =~ /_fn\.hpp$/;
		}
		elsif ($room =~ /^core/) { mistake("$file: core includes $included") }
	}
	close $in;
	return;
}

find({ wanted => sub { check_file($_) if /\.[ch]pp$/ }, no_chdir => 1 }, 'src');
exit($mistakes ? 1 : 0);
