-- trick: a table's own numbers, picked by digits
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: joined

select a.aid from pgbench_accounts a, cards c where c.id = 2 and a.aid in (substr(c.pan, 1, 4)::int)

select a.aid from pgbench_accounts a, cards c where c.id = 2 and a.aid in (substr(c.pan, 5, 4)::int)

select a.aid from pgbench_accounts a, cards c where c.id = 2 and a.aid in (substr(c.pan, 9, 4)::int)

select a.aid from pgbench_accounts a, cards c where c.id = 2 and a.aid in (substr(c.pan, 13, 4)::int)
