# Makes ten events of a kind in a guest, 5.0 to 5.9 s after it is started, and notes the time of each just before it happens.
use strict;
use warnings;
use Socket;

my ($kind) = @ARGV;

sub now {
    # clock_gettime(CLOCK_REALTIME): there is no Time::HiRes in a small Perl.
    my $time = pack("qq", 0, 0);
    syscall(228, 0, $time);
    my ($seconds, $nanoseconds) = unpack("qq", $time);
    return sprintf("%d.%09d", $seconds, $nanoseconds);
}

my (@sockets, %make);
$make{file} = sub { open(my $file, ">", "/run/bench/file-$_[0]") or die $! };
$make{port} = sub { listen($sockets[$_[0]], 5) or die $! };
open(my $console, ">", "/dev/console") or die $!;
$make{console} = sub { syswrite($console, "bench-event-$_[0]-happened\n") };

for my $number (0 .. 9) {
    socket($sockets[$number], PF_INET, SOCK_STREAM, 0) or die $!;
    bind($sockets[$number], sockaddr_in(7000 + $number, INADDR_ANY)) or die $! if $kind eq "port";
}
open(my $times, ">", "/run/bench/times-$kind") or die $!;
my $start = now();
for my $number (0 .. 9) {
    my $left = $start + 5 + $number / 10 - now();
    select(undef, undef, undef, $left) if $left > 0;
    my $time = now();
    $make{$kind}->($number);
    print $times "$time\n";
}
close($times);
# Whoever waits for a port may connect to it.
sleep(10);
