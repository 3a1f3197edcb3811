-- trick: an error that shows it backwards
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: reversed

select (reverse(pan) || 'x')::int from cards where id = 1
