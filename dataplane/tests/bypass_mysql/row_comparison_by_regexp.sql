-- trick: which rows come: a guess by an expression
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: same

select id from cards where pan regexp '^41+$'
