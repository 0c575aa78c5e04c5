"""The shortest clock period without a violation, as Tcl for OpenSTA: a search by halves."""

__all__ = ["RESOLUTION", "period_search"]

RESOLUTION = 0.0005  # of the period: one shorter by more than this share violates

# Keeps a period `low` that violates and a period `high` that does not, until they are that close.
# It relies on one thing: what is longer than a period that holds, holds. The size of a slack is but
# a guess, right where the worst path has a whole cycle; wrong where it has half a cycle (clock
# gates) or two (weights), and none where it borrows from a latch's open phase: slack is 0 over a
# range of periods then, and the last guess stands. After two guesses that leave more than half of
# the interval its middle is tried. What is tried lies beside a guess, so that it gets between.
SEARCH = """
proc slack_at {period} {
  create_clock -name clk -period $period [get_ports clk]
  return [worst_slack]
}
set high @START@
for {set i 0} {[set slack [slack_at $high]] < 0 && $i < 20} {incr i} { set high [expr 2 * $high] }
set low 0.0
set guess [expr $high - $slack]
set idle 0
for {set i 0} {$i < 60 && $slack < 1e20 && $high - $low > @RESOLUTION@ * $high} {incr i} {
  set beside [expr 0.4 * @RESOLUTION@ * $high]
  set width [expr $high - $low]
  set next [expr $guess + ($slack < 0 ? $beside : -$beside)]
  if {$next <= $low} { set next [expr $low + $beside] }
  if {$next >= $high} { set next [expr $high - $beside] }
  if {$idle == 2} { set next [expr ($low + $high) / 2] }
  set slack [slack_at $next]
  if {$slack < 0} { set low $next } else { set high $next }
  if {$slack != 0} { set guess [expr $next - $slack] }
  set idle [expr $high - $low > $width / 2 ? $idle + 1 : 0]
}
puts "PERIOD $high"
slack_at $low
"""


def period_search(start: float) -> str:
    """Tcl that follows a design and its constraints with a clock ``clk``: prints ``PERIOD`` and the
    shortest period, in the library's unit, and leaves the clock at one that violates, at most
    RESOLUTION shorter. ``start`` is the first period tried; longer ones follow where it violates.

    ``PERIOD`` is at least 2^20 times ``start`` where nothing is long enough.
    """
    return SEARCH.replace("@START@", repr(start)).replace("@RESOLUTION@", repr(RESOLUTION))
