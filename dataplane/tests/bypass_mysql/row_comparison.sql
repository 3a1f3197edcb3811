-- trick: which rows come: a guess by LIKE
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: same

select id from cards where pan like '41111%'
