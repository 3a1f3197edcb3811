-- trick: LIMIT by a digit
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: same

select aid from pgbench_accounts order by aid limit (select substr(pan, 1, 1)::int from cards where id = 2)
