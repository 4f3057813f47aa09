"""What is measured: each file here has run(bench), which yields rows.

bench is a context.Context; a case takes its sizes from bench.size and asks
bench.wants(id) before it starts anything for a row.
"""

from cases import changes, crowd, growing, loop, memory, refit, scrape, starting, updated

ALL = (scrape, updated, changes, loop, refit, starting, memory, crowd, growing)
